"""The door for HTTP: what L{mediasrv.service.MediaService} serves to browsers, and RTSP through HTTP and WebSocket."""
