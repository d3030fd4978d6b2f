"""Every limit of the playground, in one place. A refusal names the limit that it met."""

HIDDEN_LAYERS = 12
WIDTH = 256
FROZEN_EDGES = 4096
"""Of one layer, one by one; a neuron or a layer may be frozen whole."""
CLASSES = 8
POINTS = 10_000
INPUTS = 64
"""Columns of a table that a network may take in."""
SEED = 2**32 - 1
SEEDED_WEIGHTS = 50_000
"""Of an init whose random numbers come one after another."""
FEATURES = 128
FOURIER = 64
"""Random Fourier features to choose from."""
FORMULA_LENGTH = 200
"""Characters of a formula that somebody types."""
FORMULA_BRACKETS = 16
"""Brackets of it that may lie in one another."""
FEATURE_VALUE = 1e6
"""What a formula gives the network is cut at plus and minus this."""
REPLICAS = 32
"""Networks that one session trains side by side."""
REPLICATED = 1_000_000
"""Parameters of all of them together."""
HALF_SPAN = 6.0
"""Inputs lie in [-6, 6]."""

CSV_BYTES = 5 * 1024 * 1024
CSV_COLUMNS = 256
WORKBOOK_BYTES = 32 * 1024 * 1024
"""What the parts of an Excel workbook may unpack to."""
WORKBOOK_CELLS = 500_000
WORKBOOK_SECONDS = 10.0
"""What reading its cells may take."""
TABLES = 64
"""Uploaded tables that the server keeps; the one unused for longest goes first."""
IMAGE_BYTES = 1024 * 1024
IMAGE_PIXELS = 40_000_000
"""Of an uploaded image, before it is made small."""
IMAGE_SIDE = 64
"""Pixels along the longer side of a picture that is learned."""

MODEL_BYTES = 8 * 1024 * 1024
"""An uploaded model: weights of a network as large as may be."""
MODEL_UNPACKED = 16 * 1024 * 1024
"""What a part of it may unpack to."""

BODY_BYTES = 1024 * 1024
"""A JSON request; an uploaded file may have `CSV_BYTES`."""
WEIGHTS_BYTES = 32 * 1024 * 1024
"""All weights of the largest network, as JSON."""
MESSAGE_BYTES = 64 * 1024
"""A message that a viewer sends over its websocket."""
MESSAGES_PER_SECOND = 240
"""Mean rate of messages from one viewer, acks of frames included."""
TIMELINE_BYTES = 8 * 1024 * 1024
TRAIN_STEPS = 1_000_000
"""Steps that one `step` command may ask for, and that a new session may train at once."""
RUN_STEPS = 100_000_000
"""Steps of a scripted run."""
RUN_LINES = 10_000
"""Changes of it."""
RUN_NAME = 200
RUN_NOTE = 10_000
"""Characters."""
RUN_TAGS = 32
RUN_TAG = 64
"""Characters of one."""
RUN_WAIT = 60
"""Seconds that a request may wait for the end of a run."""
RUN_FILE_BYTES = 16 * 1024 * 1024
"""Of a file of a run that is verified."""
MARKED_LINES = 64
"""Changes of a run at which the hash of its weights is kept."""
FIRST_MARK = 16
"""Steps after which it is first kept, and then whenever they have doubled."""
SWEEP_AXES = 8
"""Fields that a sweep varies."""
SWEEP_VALUES = 64
"""Values of one of them to choose from, where they are listed."""
SWEEP_TRIALS = 5_000
SWEEP_GRID = 100_000
"""Points of a grid, of which no more are tried than trials are asked for."""
SWEEP_NETWORKS = 20_000
"""Trials times seeds."""
SWEEP_STEPS = 200_000_000
"""Steps of all its networks together."""
SWEEP_POINTS = 64
"""Of the curve of a trial, about."""
SWEEP_RUNGS = 16
"""Moments at which a pruner looks at a trial."""
SWEEP_EVENT = 100
"""Trials that one event tells of."""
SWEEPS = 100
"""Sweeps that a server keeps."""
TRAINABILITY_SIDE = (16, 256)
"""Networks along a side of a map of trainability."""
TRAINABILITY_STEPS = 2_000
"""Steps of each."""
MAP_STEPS = 50_000_000
"""Of all of them together."""
MAP_NUMBERS = 4_000_000
"""Numbers in the raw maps of all units, together."""

CHECKPOINTS = 24
"""Moments of a session that one can go back to."""
CHECKPOINT_BYTES = 24 * 1024 * 1024
TRAIL_SNAPSHOTS = 64
"""Of a run, from which any moment of it is trained again."""
TRAIL_BYTES = 16 * 1024 * 1024
TOGETHER = 4
"""Sessions that train in lock-step."""
PASSING_SECONDS = 60.0
"""A moment that was looked back at, and that nobody watches, is dropped after so long."""

UNACKED_FRAMES = 3
FRAME_RATE = 60
NEURON_MAP = (4, 64)
OUTPUT_MAP = (10, 200)
HISTORY_SAMPLES = 1024
"""A history that reaches this many samples halves its resolution."""

DATABASE_FREE_BYTES = 16 * 1024 * 1024
"""Room on the disk without which a server does not start."""
