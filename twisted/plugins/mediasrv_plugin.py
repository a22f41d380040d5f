"""Makes C{twistd mediasrv} available; the code is in L{mediasrv.tap}."""

from twisted.application.service import ServiceMaker

serviceMaker = ServiceMaker(
    name="mediasrv",
    module="mediasrv.tap",
    description="A streaming media server.",
    tapname="mediasrv",
)
