namespace ProxyShell.Host.Running;

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>One readable line per event.</summary>
    Text,

    /// <summary>One JSON object per line.</summary>
    Json,
}
