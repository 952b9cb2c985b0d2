using System.Globalization;
using System.Text.Json;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// One object of a configuration file. It knows its place, so that every fault names it, and which properties were asked for,
/// so that the rest can be refused: a misspelt option must not silently mean its default.
/// </summary>
internal sealed class ConfigurationSection
{
    private const string Forever = "infinite";

    private readonly Dictionary<string, JsonElement> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _known = [];

    public ConfigurationSection(ConfigurationSource source, string path, JsonElement element)
    {
        (Source, Path) = (source, path);
        if (element.ValueKind != JsonValueKind.Object) throw source.Fault(path, $"must be an object, not {Kind(element)}.");
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!_properties.TryAdd(property.Name, property.Value)) throw source.Fault(At(property.Name), "is given twice.");
        }
    }

    public ConfigurationSource Source { get; }

    public string Path { get; }

    public string At(string name) => $"{Path}.{name}";

    /// <summary>Whether the property is there; null counts as absent.</summary>
    public bool TryGet(string name, out JsonElement value)
    {
        _known.Add(name);
        return _properties.TryGetValue(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    public string? Text(string name)
    {
        if (!TryGet(name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Source.Fault(At(name), $"must be a text in quotes, not {Kind(value)}.");
    }

    public int? Integer(string name) => LongInteger(name) is not { } number ? null
        : number is >= int.MinValue and <= int.MaxValue ? (int)number
        : throw Source.Fault(At(name), string.Create(CultureInfo.InvariantCulture, $"must be a whole number, not the number {number}."));

    public long? LongInteger(string name)
    {
        if (!TryGet(name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number
            : throw Source.Fault(At(name), $"must be a whole number, not {Kind(value)}.");
    }

    /// <summary>A number that may have a fraction.</summary>
    public double? Number(string name)
    {
        if (!TryGet(name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Source.Fault(At(name), $"must be a number, not {Kind(value)}.");
    }

    public bool? Flag(string name)
    {
        if (!TryGet(name, out JsonElement value)) return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Source.Fault(At(name), $"must be true or false, not {Kind(value)}.");
    }

    /// <summary>Seconds as a number, <c>"hh:mm:ss"</c>, or <c>"infinite"</c>.</summary>
    public TimeSpan? Time(string name)
    {
        if (!TryGet(name, out JsonElement value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double seconds) && Math.Abs(seconds) < 1e9) return TimeSpan.FromSeconds(seconds);
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim() : "";
        if (text.Equals(Forever, StringComparison.OrdinalIgnoreCase)) return Timeout.InfiniteTimeSpan;
        // "60" alone would be read as 60 days
        if (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan time)) return time;
        throw Source.Fault(At(name), $"must be a time: seconds as a number, or \"hh:mm:ss\".");
    }

    /// <summary>An object within this one.</summary>
    public ConfigurationSection? Object(string name) => TryGet(name, out JsonElement value) ? new ConfigurationSection(Source, At(name), value) : null;

    /// <summary>The items of an array with their places; none when the property is absent.</summary>
    public IEnumerable<(string Path, JsonElement Value)> Items(string name)
    {
        if (!TryGet(name, out JsonElement value)) yield break;
        if (value.ValueKind != JsonValueKind.Array) throw Source.Fault(At(name), $"must be an array in [brackets], not {Kind(value)}.");
        int index = 0;
        foreach (JsonElement item in value.EnumerateArray()) yield return (string.Create(CultureInfo.InvariantCulture, $"{At(name)}[{index++}]"), item);
    }

    public IEnumerable<(string Path, string Text)> Texts(string name)
    {
        foreach ((string path, JsonElement value) in Items(name))
        {
            if (value.ValueKind != JsonValueKind.String) throw Source.Fault(path, $"must be a text in quotes, not {Kind(value)}.");
            yield return (path, value.GetString()!);
        }
    }

    /// <summary>Refuses the first property that nobody asked for.</summary>
    public void RejectUnknown()
    {
        foreach (string name in _properties.Keys)
        {
            if (_known.Contains(name)) continue;
            string? meant = _known.Find(known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
            throw Source.Fault(At(name), meant is null ? $"is not known here; {string.Join(", ", _known)} are." : $"is not known here; write '{meant}'.");
        }
    }

    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text in quotes",
        JsonValueKind.Number => $"the number {Shortened(value.GetRawText())}",
        JsonValueKind.Null => "null",
        _ => value.GetRawText(),
    };

    private static string Shortened(string text) => text.Length <= 20 ? text : text[..20] + "…";
}
