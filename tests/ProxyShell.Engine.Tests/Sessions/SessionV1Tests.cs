using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Version 1 of the protocol.</summary>
public sealed class SessionV1Tests() : SessionContract(MultiplexingVersion.V1);
