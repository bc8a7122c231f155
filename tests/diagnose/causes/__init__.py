"""Real small runs whose trouble is known, because the test seeded it: does the verdict name it?"""
