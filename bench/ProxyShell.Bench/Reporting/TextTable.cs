namespace ProxyShell.Bench.Reporting;

/// <summary>A table whose console form, with aligned columns, is also valid Markdown.</summary>
internal sealed class TextTable(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    internal bool IsEmpty => _rows.Count == 0;

    internal void Add(IEnumerable<string> cells) => _rows.Add([.. cells]);

    internal IEnumerable<string> Lines()
    {
        int[] widths = [.. headers.Select((_, column) => _rows.Append(headers).Max(row => row[column].Length))];
        yield return Line(headers, widths);
        yield return "|" + string.Concat(widths.Select((width, column) => new string('-', width + 1) + (column == 0 ? "-|" : ":|")));
        foreach (string[] row in _rows)
            yield return Line(row, widths);
    }

    private static string Line(string[] cells, int[] widths) =>
        "|" + string.Concat(cells.Select((cell, column) => $" {Pad(cell, widths[column], column)} |"));

    private static string Pad(string cell, int width, int column) => column == 0 ? cell.PadRight(width) : cell.PadLeft(width);
}
