"""The thread's page: its numbers are the published ones, and every experiment's post is on it."""

import pytest

from bntui.experiments.library import built_in
from bntui.experiments.outcome import published
from bntui.ui.words import thread


def test_the_numbers_are_those_that_the_thread_published() -> None:
    large, small = (published()[batch].values for batch in (4096, 64))
    text = thread.POSTS[0].text
    assert 0.990 <= min(small["val_acc"]) < max(small["val_acc"]) < 0.996
    assert "batch size 64 it validates at 0.99" in text
    assert f"{large['acc'][-1]:.3f} on training images" in text
    assert large["val_acc"][:-1] == [0.1135] * 9
    assert f"0.1135 for nine epochs and ends at {large['val_acc'][-1]:.4f}" in text


def test_there_is_a_post_for_every_experiment_that_names_one() -> None:
    named = {experiment.post for experiment in built_in() if experiment.post}
    assert named == {post.number for post in thread.POSTS}


def test_the_page_has_every_post_and_says_what_post_3_means() -> None:
    page = thread.paragraphs()
    for post in thread.POSTS:
        assert any(part.startswith(f"Post {post.number} · ") for part in page)
    assert "“Post 3” beside an experiment" in page[-1]


def test_a_post_s_gist() -> None:
    assert thread.gist(3) == "start small, grow the batch"
    with pytest.raises(ValueError, match="1 to 5, not 6"):
        thread.gist(6)
