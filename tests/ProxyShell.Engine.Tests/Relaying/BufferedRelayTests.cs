namespace ProxyShell.Engine.Tests.Relaying;

/// <summary>The portable relay over .NET's sockets.</summary>
public sealed class BufferedRelayTests() : RelayContract(Sockets.Portable);
