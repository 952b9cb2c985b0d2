namespace ProxyShell.Engine.Protocols;

/// <summary>What a relay request asks for (docs/protocols/relay.md).</summary>
internal enum RelayCommand : byte
{
    /// <summary>Connect to the next address and relay bytes.</summary>
    Connect = 1,

    /// <summary>Answer, then echo what comes.</summary>
    Probe = 2,
}
