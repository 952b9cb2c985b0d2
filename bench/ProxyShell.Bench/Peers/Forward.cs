namespace ProxyShell.Bench.Peers;

/// <summary>A port that a relay listens on, and the one to which it leads.</summary>
internal readonly record struct Forward(int Port, int DestinationPort);
