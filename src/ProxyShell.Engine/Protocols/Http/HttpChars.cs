using System.Buffers;

namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The sets of bytes that HTTP's grammar knows.</summary>
internal static class HttpChars
{
    /// <summary>Bytes of a field value: visible ones, space, tab and obs-text (RFC 9110 §5.5).</summary>
    public static readonly SearchValues<byte> FieldValue = SearchValues.Create(
        [0x09, .. Enumerable.Range(0x20, 0x7F - 0x20).Select(b => (byte)b), .. Enumerable.Range(0x80, 0x80).Select(b => (byte)b)]);

    private static readonly SearchValues<byte> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // visible ASCII but '#': a fragment never travels; more of the URI grammar is left to the origin, as browsers send more too
    private static readonly SearchValues<byte> Target = SearchValues.Create([.. Enumerable.Range(0x21, 0x7F - 0x21).Where(b => b != '#').Select(b => (byte)b)]);

    /// <summary>Whether it is a token (RFC 9110 §5.6.2): a method, a field name.</summary>
    public static bool IsToken(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && !bytes.ContainsAnyExcept(Token);

    // servers of all kinds take UTF-8 as it is, and nobody takes such a byte for the end of anything
    private static readonly SearchValues<byte> WideTarget = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x100 - 0x21).Where(b => b is not ('#' or 0x7F)).Select(b => (byte)b)]);

    /// <summary>Whether it may be a request target. A gateway leaves what bytes beyond ASCII mean to the service that it publishes.</summary>
    public static bool IsTarget(ReadOnlySpan<byte> bytes, HttpRole role) => !bytes.IsEmpty && !bytes.ContainsAnyExcept(role == HttpRole.Gateway ? WideTarget : Target);

    /// <summary>Without the spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> bytes) => bytes.Trim(" \t"u8);

    /// <summary>The value of a hexadecimal digit, or -1.</summary>
    public static int HexDigit(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
