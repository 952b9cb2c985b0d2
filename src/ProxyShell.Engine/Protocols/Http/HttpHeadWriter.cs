using System.Buffers.Text;
using System.Text;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>Writes the lines of a head one after another.</summary>
internal ref struct HttpHeadWriter(Span<byte> output)
{
    private readonly Span<byte> _output = output;

    public int Length { get; private set; }

    public void Add(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_output[Length..]);
        Length += bytes.Length;
    }

    /// <summary>Adds a text that is known to be ASCII without line ends.</summary>
    public void Add(string text) => Length += Encoding.ASCII.GetBytes(text, _output[Length..]);

    public void Add(int number)
    {
        Utf8Formatter.TryFormat(number, _output[Length..], out int written);
        Length += written;
    }

    public void Field(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Add(name);
        Add(": "u8);
        Add(value);
        Add("\r\n"u8);
    }

    public void Field(scoped ReadOnlySpan<byte> name, string value)
    {
        Add(name);
        Add(": "u8);
        Add(value);
        Add("\r\n"u8);
    }
}
