namespace ProxyShell.Engine.Diagnostics;

/// <summary>A failure of the engine: its reason, what was being done, and the thing at fault.</summary>
public sealed class ProxyException : IOException
{
    /// <summary>Makes an error whose message reads "subject: detail", or the reason's own words when there is no detail.</summary>
    public ProxyException(ProxyErrorReason reason, ProxyStage stage, string? subject = null, string? detail = null, Exception? inner = null)
        : base(Compose(reason, subject, detail), inner)
    {
        (Reason, Stage, Subject) = (reason, stage, subject);
        Detail = detail ?? ProxyErrorText.Describe(reason);
    }

    /// <summary>Why it failed.</summary>
    public ProxyErrorReason Reason { get; }

    /// <summary>What was being done.</summary>
    public ProxyStage Stage { get; }

    /// <summary>The thing at fault as text, for example <c>hop 2 (127.0.0.1:4102)</c>.</summary>
    public string? Subject { get; }

    /// <summary>The message without the subject.</summary>
    public string Detail { get; }

    /// <summary>The side of the relay at fault.</summary>
    public ProxySide Side { get; init; }

    /// <summary>The number of the hop at fault, counted from 1; null when no hop is.</summary>
    public int? HopNumber { get; init; }

    private static string Compose(ProxyErrorReason reason, string? subject, string? detail)
    {
        string what = detail ?? ProxyErrorText.Describe(reason);
        return subject is null ? what : $"{subject}: {what}";
    }
}
