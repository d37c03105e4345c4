"""Guidance: denoisers made of denoisers.  The solver never knows.

Two answers compared: ``Guided``, ``Autoguided``, each with a rule (``linear``, ``Rescaled``, ``APG``), and
``CFGPlusPlus`` around them.  Where: ``Interval``.  A gradient: ``ClassifierGuided``, ``EstimateGuided``,
``Reconstruction``.  The estimate changed: ``Thresholded``, ``Inpainted``.  From the inside out they are written in that
order::

    Inpainted(Thresholded(Interval(Guided(net, 7.5, null, rule=APG()), net, 0.3, 5.0)), known, mask)
"""

from mezzotint.diffusion.guidance.apg import APG
from mezzotint.diffusion.guidance.autoguided import Autoguided
from mezzotint.diffusion.guidance.classifier import ClassifierGuided
from mezzotint.diffusion.guidance.estimate import EstimateGuided
from mezzotint.diffusion.guidance.guided import Guided
from mezzotint.diffusion.guidance.inpainted import Inpainted
from mezzotint.diffusion.guidance.interval import Interval
from mezzotint.diffusion.guidance.own_null import OwnNull
from mezzotint.diffusion.guidance.pair import apart, linear, sharing, together
from mezzotint.diffusion.guidance.plus_plus import CFGPlusPlus
from mezzotint.diffusion.guidance.reconstruction import Reconstruction
from mezzotint.diffusion.guidance.rescaled import Rescaled
from mezzotint.diffusion.guidance.telling import Telling
from mezzotint.diffusion.guidance.thresholded import Thresholded
from mezzotint.diffusion.guidance.tiled import Tiled

__all__ = [
    "APG",
    "Autoguided",
    "CFGPlusPlus",
    "ClassifierGuided",
    "EstimateGuided",
    "Guided",
    "Inpainted",
    "Interval",
    "OwnNull",
    "Reconstruction",
    "Rescaled",
    "Telling",
    "Thresholded",
    "Tiled",
    "apart",
    "linear",
    "sharing",
    "together",
]
