namespace ProxyShell.Bench.Rows;

/// <summary>One kind of work, measured over all relays that can do it.</summary>
internal interface IRow
{
    string Id { get; }

    Task<RowResult> RunAsync(BenchContext context);
}
