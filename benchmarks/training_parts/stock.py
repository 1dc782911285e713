"""Time ``Model.fit`` with stock layers on the backend of this environment.

Run by ``training.py`` in an environment of its own, where ``selector`` is not
installed: it needs Keras and NumPy only. Prints one JSON object.
"""

import json
import os
import sys
import time

MODEL, DATA, BATCH, EPOCHS, CORES = sys.argv[1:6]
os.sched_setaffinity(0, set(map(int, CORES.split(","))))

import keras  # noqa: E402
import numpy as np  # noqa: E402

if keras.backend.backend() == "torch":
    import torch

    torch.set_num_threads(len(CORES.split(",")))
elif keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(len(CORES.split(",")))
    tf.config.threading.set_inter_op_parallelism_threads(len(CORES.split(",")))


@keras.saving.register_keras_serializable(package="selector_tabular")
class SmoothClip(keras.layers.Layer):
    """The one layer of the timed models that Keras has no equal of."""

    def call(self, inputs):
        """Return values squashed into (-3, 3)."""
        return inputs / keras.ops.sqrt(1.0 + keras.ops.square(inputs / 3.0))


class Times(keras.callbacks.Callback):
    """Notes the end of the first step and of each epoch."""

    def __init__(self):
        super().__init__()
        self.first, self.epochs = None, []

    def on_train_batch_end(self, batch, logs=None):
        """Note the first step."""
        if self.first is None:
            float(logs["loss"])
            self.first = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Note an epoch."""
        self.epochs.append(time.perf_counter())


def main():
    """Build, compile, fit; print what it took."""
    data = np.load(DATA)
    x, y = data["x"], data["y"]
    template = keras.saving.load_model(MODEL, compile=False)
    started = time.perf_counter()
    model = keras.models.clone_model(template)
    model.compile(
        optimizer=keras.optimizers.AdamW(2e-3, weight_decay=1e-4, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    times = Times()
    model.fit(x, y, batch_size=int(BATCH), epochs=int(EPOCHS), verbose=0, callbacks=[times])
    seconds = np.diff(times.epochs)
    print(json.dumps({
        "first": times.first - started,
        "epoch": float(np.median(seconds)),
        "start": times.epochs[0] - started - float(np.median(seconds)),
        "version": keras.__version__,
    }))  # fmt: skip


main()
