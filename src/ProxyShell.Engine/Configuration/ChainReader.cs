using System.Text.Json;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>
/// Reads a chain and the payload key beside it. A chain is an array of places: a hop, or a group of alternates, which is an array or, to say how
/// to choose, an object. An alternate is a hop, or several in a row. Several chains side by side are an array of chains, or of objects that have one each.
/// </summary>
internal static class ChainReader
{
    public static ProxyChain Read(ConfigurationSection section)
    {
        ConfigurationSource source = section.Source;
        HopGroup[] places = [.. section.Items("chain").Select(item => ReadPlace(source, item.Path, item.Value))];
        ProxyKey? payloadKey = section.Text("payloadKey") is { } key ? source.Key(section.At("payloadKey"), key) : null;
        if (payloadKey is not null && places.Length == 0) throw source.Fault(section.At("payloadKey"), "is shared with the last hop of a chain, and there is no \"chain\".");
        return source.Locate(section.At("chain"), () => new ProxyChain(places) { PayloadKey = payloadKey });
    }

    /// <summary>The chains of <c>chains</c>, or the one of <c>chain</c>; none when there are no hops at all.</summary>
    public static IReadOnlyList<ProxyChain> ReadAll(ConfigurationSection section)
    {
        ProxyChain only = Read(section);
        ProxyChain[] all = [.. section.Items("chains").Select(item => ReadOne(section.Source, item.Path, item.Value))];
        if (only.Count > 0 && all.Length > 0) throw section.Source.Fault(section.At("chains"), "stands beside \"chain\": put all chains into one of the two.");
        return only.Count > 0 ? [only] : all;
    }

    private static ProxyChain ReadOne(ConfigurationSource source, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array) return source.Locate(path, () => new ProxyChain([.. Items(path, value).Select(item => ReadPlace(source, item.Path, item.Value))]));
        if (value.ValueKind != JsonValueKind.Object) throw source.Fault(path, $"must be a chain: an array of hops, or an object with \"chain\", not {ConfigurationSection.Kind(value)}.");
        var section = new ConfigurationSection(source, path, value);
        ProxyChain chain = Read(section);
        section.RejectUnknown();
        return chain;
    }

    private static HopGroup ReadPlace(ConfigurationSource source, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array) return Group(source, path, Items(path, value), ChainSelection.Ordered, null);
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("alternates", out _)) return new HopGroup(HopReader.Read(source, path, value));
        var section = new ConfigurationSection(source, path, value);
        IEnumerable<(string, JsonElement)> alternates = [.. section.Items("alternates")];
        ChainSelection selection = section.Text("selection") is { } text ? source.Locate(section.At("selection"), () => ReadSelection(text)) : ChainSelection.Ordered;
        TimeSpan? interval = section.Time("probeInterval");
        section.RejectUnknown();
        return Group(source, path, alternates, selection, interval);
    }

    private static HopGroup Group(ConfigurationSource source, string path, IEnumerable<(string Path, JsonElement Value)> items, ChainSelection selection, TimeSpan? interval)
    {
        HopAlternate[] alternates = [.. items.Select(item => ReadAlternate(source, item.Path, item.Value))];
        return source.Locate(path, () => interval is { } time ? new HopGroup(alternates, selection) { ProbeInterval = time } : new HopGroup(alternates, selection));
    }

    private static HopAlternate ReadAlternate(ConfigurationSource source, string path, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array) return Alternate(source, path, ReadHops(source, Items(path, value)), 1);
        if (value.ValueKind != JsonValueKind.Object) return new HopAlternate(HopReader.Read(source, path, value));
        var section = new ConfigurationSection(source, path, value);
        int weight = section.Integer("weight") ?? 1;
        ProxyHop[] hops = section.TryGet("hops", out _) ? ReadHops(source, section.Items("hops")) : [HopReader.Read(section)];
        section.RejectUnknown();
        return Alternate(source, path, hops, weight);
    }

    private static HopAlternate Alternate(ConfigurationSource source, string path, ProxyHop[] hops, int weight) => source.Locate(path, () => new HopAlternate(hops, weight));

    private static ProxyHop[] ReadHops(ConfigurationSource source, IEnumerable<(string Path, JsonElement Value)> items) =>
        [.. items.Select(item => HopReader.Read(source, item.Path, item.Value))];

    private static ChainSelection ReadSelection(string text) => text.ToLowerInvariant() switch
    {
        "ordered" => ChainSelection.Ordered,
        "roundrobin" => ChainSelection.RoundRobin,
        "random" => ChainSelection.Random,
        "lowestlatency" => ChainSelection.LowestLatency,
        _ => throw new FormatException($"'{text}' is not a selection; ordered, roundRobin, random and lowestLatency are."),
    };

    private static IEnumerable<(string Path, JsonElement Value)> Items(string path, JsonElement array) =>
        array.EnumerateArray().Select((item, index) => (string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}[{index}]"), item));
}
