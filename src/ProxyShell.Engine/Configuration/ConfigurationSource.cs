using System.Text.Json;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Configuration;

/// <summary>The file a configuration comes from: its name for messages, its directory for relative paths, its warnings.</summary>
internal sealed class ConfigurationSource(string file, string? directory)
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 32 };

    public string? Directory => directory;

    public List<string> Warnings { get; } = [];

    public ConfigurationException Fault(string path, string fault, Exception? inner = null) => new(file, path, fault, inner);

    public void Warn(string path, string warning) => Warnings.Add($"{file}: {path}: {warning}");

    /// <summary>Runs a reader of the engine and puts the place before its complaint.</summary>
    public T Locate<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e) when (e is not ConfigurationException)
        {
            throw Fault(path, e.Message, e);
        }
    }

    /// <summary>The secret reference at the place; a secret in clear text is refused without being shown.</summary>
    public SecretReference Secret(string path, string text, string what)
    {
        SecretReference? reference = null;
        bool isOne = Locate(path, () => SecretReference.TryParse(text, out reference, directory));
        if (!isOne || reference is null) throw Fault(path, $"must refer to {what} as \"env:NAME\" or \"file:PATH\"; in clear text it does not belong in this file.");
        Note(path, reference);
        return reference;
    }

    /// <summary>The key that the reference at the place leads to.</summary>
    public ProxyKey Key(string path, string text) => Locate(path, Secret(path, text, "the key").ReadKey);

    /// <summary>A path as the file means it: a relative one starts where the file is.</summary>
    public string Beside(string path) => Path.Combine(directory ?? "", path);

    public void Note(string path, SecretReference reference)
    {
        if (reference.Warning is { } warning) Warn(path, warning);
    }

    public JsonDocument Read(string json)
    {
        try
        {
            return JsonDocument.Parse(json, Lenient);
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $"line {line + 1}, column {e.BytePositionInLine + 1}" : "";
            throw Fault(place, $"not valid JSON: {Sentence(e.Message)}", e);
        }
        catch (ArgumentException e)
        {
            throw Fault("", "not valid JSON: it holds characters that are not Unicode.", e);
        }
    }

    // the reader adds the place in its own words: "… LineNumber: 3 | BytePositionInLine: 4."
    private static string Sentence(string message)
    {
        int place = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return place < 0 ? message : message[..place].Trim();
    }
}
