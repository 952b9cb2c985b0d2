using System.Buffers.Binary;
using System.Net;

namespace ProxyShell.Engine.Protocols.Striping;

/// <summary>A client's address in an Open frame: nothing, or 4 or 16 bytes and the port (2 bytes, big-endian).</summary>
internal static class OpenAddress
{
    public const int MaxLength = 18;

    /// <summary>Writes an address; returns its length, 0 for none.</summary>
    public static int Write(Span<byte> output, IPEndPoint? endpoint)
    {
        if (endpoint is null || !endpoint.Address.TryWriteBytes(output, out int length)) return 0;
        BinaryPrimitives.WriteUInt16BigEndian(output[length..], (ushort)endpoint.Port);
        return length + 2;
    }

    /// <summary>Reads an address; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IPEndPoint? endpoint)
    {
        endpoint = null;
        if (bytes.IsEmpty) return true;
        if (bytes.Length is not (6 or 18)) return false;
        endpoint = new IPEndPoint(new IPAddress(bytes[..^2]), BinaryPrimitives.ReadUInt16BigEndian(bytes[^2..]));
        return true;
    }
}
