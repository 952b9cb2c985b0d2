using System.Management.Automation;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Errors;

/// <summary>The one place where failures of the engine become PowerShell errors.</summary>
internal static class ProblemRecord
{
    /// <summary>
    /// Makes the error record. Its id is the reason for engine failures and <paramref name="formatId"/> for bad arguments; its target
    /// is what the user gave, without secrets.
    /// </summary>
    public static ErrorRecord From(Exception error, string formatId, object? target) =>
        error is ProxyException failure ? From(failure, target) : Record(error, formatId, ErrorCategory.InvalidArgument, target, "");

    /// <summary>An error about a failure of the engine: its id is the reason.</summary>
    public static ErrorRecord From(ProxyException failure, object? target) => From(failure, target, RecommendedAction.For(failure.Reason));

    /// <summary>An error about a registration that came to nothing: the gateway's refusals ask for other things than those of hops.</summary>
    public static ErrorRecord OfRegistration(ProxyException failure, object? target) =>
        From(failure, target, failure.Stage == ProxyStage.Request ? RecommendedAction.ForRegistration(failure.Reason) : RecommendedAction.For(failure.Reason));

    /// <summary>An error about something that is not there.</summary>
    public static ErrorRecord NotFound(string message, string id, object target, string action = "") =>
        Record(new ItemNotFoundException(message), id, ErrorCategory.ObjectNotFound, target, action);

    /// <summary>An error about something that is there already.</summary>
    public static ErrorRecord Exists(string message, string id, object target, string action) =>
        Record(new IOException(message), id, ErrorCategory.ResourceExists, target, action);

    /// <summary>An error about a file that could not be written.</summary>
    public static ErrorRecord NotWritten(string message, string id, object target, Exception why) =>
        Record(new IOException(message, why), id, ErrorCategory.WriteError, target, "");

    /// <summary>An error about something that somebody else has in use.</summary>
    public static ErrorRecord Busy(string message, string id, object? target, string action) =>
        Record(new InvalidOperationException(message), id, ErrorCategory.ResourceBusy, target, action);

    /// <summary>An error about something that is of another kind than what was asked for.</summary>
    public static ErrorRecord WrongKind(string message, string id, object target) =>
        Record(new ArgumentException(message), id, ErrorCategory.InvalidType, target, "");

    /// <summary>An error about something that is not in a state to do what was asked for.</summary>
    public static ErrorRecord WrongState(string message, string id, object target) =>
        Record(new InvalidOperationException(message), id, ErrorCategory.InvalidOperation, target, "");

    private static ErrorRecord From(ProxyException failure, object? target, string action) =>
        Record(failure, failure.Reason.ToString(), CategoryOf(failure.Reason), target, action);

    private static ErrorRecord Record(Exception error, string id, ErrorCategory category, object? target, string action)
    {
        var record = new ErrorRecord(error, id, category, target);
        if (action.Length > 0) record.ErrorDetails = new ErrorDetails(error.Message) { RecommendedAction = action };
        return record;
    }

    private static ErrorCategory CategoryOf(ProxyErrorReason reason) => reason switch
    {
        ProxyErrorReason.ConnectionRefused or ProxyErrorReason.HostUnreachable or ProxyErrorReason.NetworkUnreachable
            or ProxyErrorReason.TimedOut or ProxyErrorReason.ConnectionReset or ProxyErrorReason.ConnectionClosed => ErrorCategory.ConnectionError,
        ProxyErrorReason.NameNotFound => ErrorCategory.ObjectNotFound,
        ProxyErrorReason.Forbidden or ProxyErrorReason.ClientNotAdmitted => ErrorCategory.PermissionDenied,
        ProxyErrorReason.AuthenticationFailed or ProxyErrorReason.Replayed or ProxyErrorReason.ClockSkew => ErrorCategory.AuthenticationError,
        ProxyErrorReason.TlsFailed => ErrorCategory.SecurityError,
        ProxyErrorReason.ProtocolError => ErrorCategory.ProtocolError,
        ProxyErrorReason.Unsupported => ErrorCategory.NotImplemented,
        ProxyErrorReason.LimitExceeded => ErrorCategory.LimitsExceeded,
        ProxyErrorReason.AddressInUse => ErrorCategory.ResourceExists,
        ProxyErrorReason.AddressNotAvailable or ProxyErrorReason.ResourceExhausted or ProxyErrorReason.Stopping => ErrorCategory.ResourceUnavailable,
        ProxyErrorReason.IdleTimeout => ErrorCategory.OperationTimeout,
        ProxyErrorReason.Aborted => ErrorCategory.OperationStopped,
        _ => ErrorCategory.NotSpecified,
    };
}
