"""Reads a folder of event files as TensorBoard does, and prints as JSON what it found."""
import json
import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
except ImportError:
    sys.exit(77)

keep_all = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0, event_accumulator.IMAGES: 0}
events = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=keep_all)
events.Reload()
tags = events.Tags()
print(json.dumps({
    "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "histograms": {
        tag: [{
            "step": e.step,
            "min": e.histogram_value.min,
            "max": e.histogram_value.max,
            "num": e.histogram_value.num,
            "sum": e.histogram_value.sum,
            "sum_squares": e.histogram_value.sum_squares,
            "limits": list(e.histogram_value.bucket_limit),
            "counts": list(e.histogram_value.bucket),
        } for e in events.Histograms(tag)]
        for tag in tags["histograms"]
    },
    "images": {
        tag: [[e.step, e.width, e.height, e.encoded_image_string.hex()] for e in events.Images(tag)]
        for tag in tags["images"]
    },
}))
