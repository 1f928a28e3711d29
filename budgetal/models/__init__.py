"""Networks: backbones, classifiers, prediction, calibration."""
