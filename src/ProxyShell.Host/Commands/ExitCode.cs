namespace ProxyShell.Host.Commands;

/// <summary>What the process tells its parent.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The work could not be done or was cut off.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the configuration is at fault; nothing was tried.</summary>
    public const int Usage = 2;
}
