"""The thread's model in Keras, as its posts list it. Choose $KERAS_BACKEND before calling."""

from typing import Any


def keras_model(*, batch_norm: bool = True, width: float = 1.0) -> Any:
    """Build it, from a seed; the layers that have weights bear the names of ours."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    here = {"data_format": "channels_last"}

    def bn(name: str) -> list[Any]:
        return [layers.BatchNormalization(name=name)] if batch_norm else []

    def conv(filters: int, name: str) -> Any:
        filters = round(width * filters)
        return layers.Conv2D(filters, 3, activation="relu", name=name, **here)

    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.ZeroPadding2D(1, **here),
            conv(32, "conv1"),
            layers.ZeroPadding2D(1, **here),
            *bn("conv1_bn"),
            conv(32, "conv2"),
            layers.MaxPooling2D(**here),
            layers.ZeroPadding2D(1, **here),
            *bn("conv2_bn"),
            conv(64, "conv3"),
            layers.ZeroPadding2D(1, **here),
            *bn("conv3_bn"),
            conv(64, "conv4"),
            layers.MaxPooling2D(**here),
            layers.Flatten(**here),
            *bn("flatten_bn"),
            layers.Dense(round(width * 512), activation="relu", name="dense1"),
            *bn("dense1_bn"),
            layers.Dense(10, activation="softmax", name="dense2"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, epsilon=1e-7),
        loss="sparse_categorical_crossentropy",
        jit_compile=False,
    )
    return model
