"""Data sets: where the points come from that the network learns.

Those imported here are the registry, in this order.
"""

# isort: off
from playground.catalogue.datasets.data import Data as Data, Dataset as Dataset, Synthetic as Synthetic
from playground.catalogue.datasets.shapes import Circle as Circle
from playground.catalogue.datasets.puzzles import Rings as Rings
from playground.catalogue.datasets.benchmarks import TwoSpirals as TwoSpirals
from playground.catalogue.datasets.tensorflow_playground import TensorflowPlayground as TensorflowPlayground
from playground.catalogue.datasets.curves import Curve as Curve
from playground.catalogue.datasets.formulas import Formula as Formula
from playground.catalogue.datasets.pictures import Picture as Picture
from playground.catalogue.datasets.points import Points as Points
from playground.catalogue.datasets.tabular import Csv as Csv
