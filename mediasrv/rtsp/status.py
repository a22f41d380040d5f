"""
The status codes of RTSP and their reason phrases (RFC 2326 sections 7.1.1 and 11).

A reason phrase is never empty: ExoPlayer does not take a status line without one.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """
    A status code; C{phrase} is its reason phrase.

    Beyond RFC 2326's table: 416, which its section 12.7 wants for a malformed Blocksize; 462 and 463, which RFC 7826
    and RFC 4567 added.
    """

    phrase: str

    def __new__(cls, code: int, phrase: str) -> Status:
        status = int.__new__(cls, code)
        status._value_ = code
        status.phrase = phrase
        return status

    CONTINUE = 100, "Continue"
    OK = 200, "OK"
    CREATED = 201, "Created"
    LOW_ON_STORAGE_SPACE = 250, "Low on Storage Space"
    MULTIPLE_CHOICES = 300, "Multiple Choices"
    MOVED_PERMANENTLY = 301, "Moved Permanently"
    MOVED_TEMPORARILY = 302, "Moved Temporarily"
    SEE_OTHER = 303, "See Other"
    NOT_MODIFIED = 304, "Not Modified"
    USE_PROXY = 305, "Use Proxy"
    BAD_REQUEST = 400, "Bad Request"
    UNAUTHORIZED = 401, "Unauthorized"
    PAYMENT_REQUIRED = 402, "Payment Required"
    FORBIDDEN = 403, "Forbidden"
    NOT_FOUND = 404, "Not Found"
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed"
    NOT_ACCEPTABLE = 406, "Not Acceptable"
    PROXY_AUTHENTICATION_REQUIRED = 407, "Proxy Authentication Required"
    REQUEST_TIMEOUT = 408, "Request Time-out"
    GONE = 410, "Gone"
    LENGTH_REQUIRED = 411, "Length Required"
    PRECONDITION_FAILED = 412, "Precondition Failed"
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large"
    REQUEST_URI_TOO_LARGE = 414, "Request-URI Too Large"
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type"
    INVALID_BLOCKSIZE = 416, "Invalid Blocksize"
    PARAMETER_NOT_UNDERSTOOD = 451, "Parameter Not Understood"
    CONFERENCE_NOT_FOUND = 452, "Conference Not Found"
    NOT_ENOUGH_BANDWIDTH = 453, "Not Enough Bandwidth"
    SESSION_NOT_FOUND = 454, "Session Not Found"
    METHOD_NOT_VALID_IN_THIS_STATE = 455, "Method Not Valid in This State"
    HEADER_FIELD_NOT_VALID = 456, "Header Field Not Valid for Resource"
    INVALID_RANGE = 457, "Invalid Range"
    PARAMETER_IS_READ_ONLY = 458, "Parameter Is Read-Only"
    AGGREGATE_OPERATION_NOT_ALLOWED = 459, "Aggregate Operation Not Allowed"
    ONLY_AGGREGATE_OPERATION_ALLOWED = 460, "Only Aggregate Operation Allowed"
    UNSUPPORTED_TRANSPORT = 461, "Unsupported Transport"
    DESTINATION_UNREACHABLE = 462, "Destination Unreachable"
    KEY_MANAGEMENT_FAILURE = 463, "Key Management Failure"
    INTERNAL_SERVER_ERROR = 500, "Internal Server Error"
    NOT_IMPLEMENTED = 501, "Not Implemented"
    BAD_GATEWAY = 502, "Bad Gateway"
    SERVICE_UNAVAILABLE = 503, "Service Unavailable"
    GATEWAY_TIMEOUT = 504, "Gateway Time-out"
    RTSP_VERSION_NOT_SUPPORTED = 505, "RTSP Version Not Supported"
    OPTION_NOT_SUPPORTED = 551, "Option Not Supported"


_PHRASES = {int(status): status.phrase for status in Status}
_CLASSES = {1: "Informational", 2: "Success", 3: "Redirection", 4: "Client Error", 5: "Server Error"}


def reasonPhrase(code: int) -> str:
    """The reason phrase of any code, known or not; never empty."""
    return _PHRASES.get(code) or _CLASSES.get(code // 100, "Unknown")
