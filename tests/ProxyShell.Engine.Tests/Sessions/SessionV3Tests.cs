using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Tests.Sessions;

/// <summary>Version 3 of the protocol.</summary>
public sealed class SessionV3Tests() : SessionContract(MultiplexingVersion.V3);
