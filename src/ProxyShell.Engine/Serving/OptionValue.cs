using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace ProxyShell.Engine.Serving;

/// <summary>One option of a service, to be compared with its later value and told of in an event.</summary>
internal sealed class OptionValue
{
    private const int MaxText = 160;

    private readonly object?[] _items;
    private readonly bool _isSecret;

    private OptionValue(string name, IEnumerable<object?> items, bool isFixed, bool isSecret) =>
        (Name, _items, IsFixed, _isSecret) = (name, [.. items], isFixed, isSecret);

    public string Name { get; }

    /// <summary>Whether a running service cannot change it.</summary>
    public bool IsFixed { get; }

    private string Text
    {
        get
        {
            if (_items.Length == 0) return "none";
            string text = string.Join(", ", _items.Select(Show));
            return text.Length <= MaxText ? text : $"{text[..MaxText]}…";
        }
    }

    public static OptionValue Of(string name, object? value) => new(name, [value], isFixed: false, isSecret: false);

    public static OptionValue List(string name, IEnumerable<object> items) => new(name, items, isFixed: false, isSecret: false);

    /// <summary>One whose values are never told.</summary>
    public static OptionValue Secret(string name, IEnumerable<object> items) => new(name, items, isFixed: false, isSecret: true);

    public static OptionValue Fixed(string name, object? value) => new(name, [value], isFixed: true, isSecret: false);

    /// <summary>Whether a later value is the same.</summary>
    public bool IsSame(OptionValue later) => _items.SequenceEqual(later._items);

    /// <summary>The change to a later value, in words.</summary>
    public string ChangeTo(OptionValue later) => _isSecret || Text == later.Text ? Name : $"{Name} from {Text} to {later.Text}";

    private static string? Show(object? item) => item switch
    {
        null or "" => "none",
        X509Certificate certificate => certificate.Subject,
        _ => Convert.ToString(item, CultureInfo.InvariantCulture),
    };
}
