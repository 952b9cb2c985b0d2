using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>
/// The field lines of a head (RFC 9112 §5), in their order, in their spelling, and as often as they came. Holds the head's bytes and where
/// in them each name and value stands.
/// </summary>
internal sealed class HttpFields
{
    private readonly byte[] _head;
    private HttpField[] _fields = new HttpField[16];

    private HttpFields(byte[] head) => _head = head;

    public int Count { get; private set; }

    /// <summary>
    /// Reads the lines from <paramref name="start"/> to the end of a measured head. In a response, spaces before a colon are dropped as
    /// RFC 9112 §5.1 says; in a request they are a fault.
    /// </summary>
    public static HttpFields? Read(byte[] head, int start, bool ofResponse, out HttpFault? fault)
    {
        var fields = new HttpFields(head);
        fault = null;
        for (int at = start; ;)
        {
            int length = head.AsSpan(at).IndexOf("\r\n"u8);
            if (length == 0) return fields;
            fault = fields.Count == HttpHead.MaxFields
                ? new HttpFault(431, $"the head has more than {HttpHead.MaxFields} fields")
                : fields.Add(at, length, ofResponse);
            if (fault is not null) return null;
            at += length + 2;
        }
    }

    public HttpFieldKind Kind(int index) => _fields[index].Kind;

    public ReadOnlySpan<byte> Name(int index) => _head.AsSpan(_fields[index].NameStart, _fields[index].NameLength);

    public ReadOnlySpan<byte> Value(int index) => _head.AsSpan(_fields[index].ValueStart, _fields[index].ValueLength);

    /// <summary>The place of the first field of a kind from <paramref name="from"/> on, or -1.</summary>
    public int Find(HttpFieldKind kind, int from = 0)
    {
        for (int i = from; i < Count; i++)
        {
            if (_fields[i].Kind == kind) return i;
        }
        return -1;
    }

    /// <summary>The value of the only field of a kind; empty when there is none or more than one.</summary>
    public ReadOnlySpan<byte> Only(HttpFieldKind kind) =>
        Find(kind) is >= 0 and var first && Find(kind, first + 1) < 0 ? Value(first) : default;

    /// <summary>Whether a list-valued field has this member, in any of its lines.</summary>
    public bool Lists(HttpFieldKind kind, ReadOnlySpan<byte> member)
    {
        for (int i = Find(kind); i >= 0; i = Find(kind, i + 1))
        {
            var list = new HttpList(Value(i));
            while (list.TryNext(out ReadOnlySpan<byte> one))
            {
                if (Ascii.EqualsIgnoreCase(one, member)) return true;
            }
        }
        return false;
    }

    private HttpFault? Add(int at, int length, bool ofResponse)
    {
        ReadOnlySpan<byte> line = _head.AsSpan(at, length);
        if (line[0] is (byte)' ' or (byte)'\t') return HttpFault.Bad("a field line is folded (it begins with a space)");
        int colon = line.IndexOf((byte)':');
        if (colon < 0) return HttpFault.Bad("a field line has no colon");
        ReadOnlySpan<byte> name = line[..colon];
        if (name.Length > 0 && name[^1] is (byte)' ' or (byte)'\t')
        {
            if (!ofResponse) return HttpFault.Bad("a space stands before the colon of a field");
            name = name.TrimEnd(" \t"u8);
        }
        if (!HttpChars.IsToken(name)) return HttpFault.Bad("a field name holds a character that none may have");
        ReadOnlySpan<byte> value = HttpChars.Trim(line[(colon + 1)..]);
        if (value.ContainsAnyExcept(HttpChars.FieldValue)) return HttpFault.Bad("a field value holds a control character");
        int valueStart = at + colon + 1 + line[(colon + 1)..].IndexOfAnyExcept((byte)' ', (byte)'\t');
        if (Count == _fields.Length) Array.Resize(ref _fields, Count * 2);
        _fields[Count++] = new HttpField(HttpFieldNames.Classify(name), at, name.Length, value.IsEmpty ? at : valueStart, value.Length);
        return null;
    }
}
