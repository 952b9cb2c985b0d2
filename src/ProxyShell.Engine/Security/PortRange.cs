using System.Globalization;

namespace ProxyShell.Engine.Security;

/// <summary>A port, or all ports from one to another: <c>443</c>, <c>8000-8099</c>, <c>*</c> for all.</summary>
public readonly record struct PortRange
{
    private const int MaxPort = 65535;

    /// <summary>Makes a range; both ends belong to it.</summary>
    /// <exception cref="FormatException">A port is not 0 to 65535, or the first is greater than the last.</exception>
    public PortRange(int first, int last)
    {
        if (first is < 0 or > MaxPort || last is < 0 or > MaxPort || first > last)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{first}-{last}' is not a range of ports (0 to {MaxPort}, the lower one first)."));
        (First, Last) = (first, last);
    }

    /// <summary>Every port.</summary>
    public static PortRange All { get; } = new(0, MaxPort);

    /// <summary>The lowest port, 0 to 65535.</summary>
    public int First { get; }

    /// <summary>The highest port, 0 to 65535.</summary>
    public int Last { get; }

    /// <summary>Whether every port is meant.</summary>
    public bool IsAll => First == 0 && Last == MaxPort;

    /// <summary>Reads a port or a range of ports.</summary>
    /// <exception cref="FormatException">The text is neither; the message names it.</exception>
    public static PortRange Parse(string text) =>
        TryParse(text, out PortRange range) ? range : throw new FormatException($"'{text}' is not a port or a range of ports such as 80-443.");

    /// <summary>Reads a port or a range of ports.</summary>
    public static bool TryParse(string? text, out PortRange range)
    {
        range = All;
        string trimmed = text?.Trim() ?? "";
        if (trimmed == "*") return true;
        string[] parts = trimmed.Split('-');
        if (parts.Length > 2 || !TryPort(parts[0], out int first) || !TryPort(parts[^1], out int last) || first > last) return false;
        range = new PortRange(first, last);
        return true;
    }

    /// <summary>Whether the port belongs to the range.</summary>
    public bool Contains(int port) => port >= First && port <= Last;

    /// <summary>As it is written.</summary>
    public override string ToString() =>
        IsAll ? "*" : First == Last ? First.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= MaxPort;
}
