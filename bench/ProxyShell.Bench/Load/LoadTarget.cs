namespace ProxyShell.Bench.Load;

/// <summary>Where a load connects and what it exchanges there.</summary>
internal sealed record LoadTarget(int Port, int RequestSize, int ReplySize);
