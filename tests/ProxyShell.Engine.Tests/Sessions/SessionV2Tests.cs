using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Version 2 of the protocol.</summary>
public sealed class SessionV2Tests() : SessionContract(MultiplexingVersion.V2);
