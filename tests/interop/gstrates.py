"""
A player of GStreamer's that seeks at another rate and writes down which pictures it shows, and when.

Run by an interpreter that has GStreamer's introspection (Debian's C{/usr/bin/python3} with C{python3-gi}), not by the
tests' own: C{gstrates.py URL RATE START STOP SECONDS [PROPERTY=VALUE …]}, the properties being rtspsrc's. Prints a line
for each picture after the seek: seconds since it, and the number that the bars of the picture show.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  # only now is it said which version


def numberOf(sample):
    """What the eight bars in the middle of a picture say."""
    width = sample.get_caps().get_structure(0).get_value("width")
    height = sample.get_caps().get_structure(0).get_value("height")
    buffer = sample.get_buffer()
    line = buffer.extract_dup((height // 2) * ((width + 3) & ~3), width)
    number = 0
    for bar in range(8):
        number = number << 1 | (line[bar * width // 8 + width // 16] > 128)
    return number


def main(url, rate, start, stop, seconds, *properties):
    Gst.init(None)
    source = f"rtspsrc name=source location={url} latency=200 {' '.join(properties)}"
    player = Gst.parse_launch(
        f"{source} ! rtph264depay ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=shown sync=true"
    )
    shown = player.get_by_name("shown")
    player.set_state(Gst.State.PLAYING)
    shown.emit("try-pull-sample", 10 * Gst.SECOND)  # it plays
    flags = Gst.SeekFlags.FLUSH
    ends = Gst.SeekType.SET if float(stop) >= 0 else Gst.SeekType.NONE
    first, last = round(float(start) * Gst.SECOND), round(float(stop) * Gst.SECOND) if float(stop) >= 0 else -1
    begun = time.monotonic()
    assert player.seek(float(rate), Gst.Format.TIME, flags, Gst.SeekType.SET, first, ends, last)
    while time.monotonic() < begun + float(seconds):
        sample = shown.emit("try-pull-sample", Gst.SECOND // 5)
        if sample is not None:
            print(f"{time.monotonic() - begun:.3f} {numberOf(sample)}", flush=True)
        elif shown.get_property("eos"):
            break
    player.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main(*sys.argv[1:])
