using ProxyShell.Engine.Addressing;

namespace ProxyShell.Engine.Protocols.Socks;

/// <summary>The request of version 5: VER (1 byte) CMD (1) RSV (1) and the address. RFC 1928 §4.</summary>
internal static class Socks5RequestCodec
{
    public const int MaxLength = AddressStart + SocksAddressCodec.MaxLength;

    private const int AddressStart = 3;

    /// <summary>Measures a request. Of one with an unknown type of address nobody knows the length: it ends behind that.</summary>
    public static HeaderStatus Measure(ReadOnlySpan<byte> bytes, out int length, out string fault)
    {
        (length, fault) = (0, "");
        if (bytes.IsEmpty) return HeaderStatus.Incomplete;
        if (bytes[0] != SocksVersion.Five)
        {
            fault = $"the request begins with version {bytes[0]}, not {SocksVersion.Five}";
            return HeaderStatus.Invalid;
        }
        if (bytes.Length <= AddressStart) return HeaderStatus.Incomplete;
        HeaderStatus status = SocksAddressCodec.Measure(bytes[AddressStart..], out int addressLength);
        length = AddressStart + (status == HeaderStatus.Invalid ? 1 : addressLength);
        return status == HeaderStatus.Invalid ? HeaderStatus.Complete : status;
    }

    /// <summary>Reads what is whole.</summary>
    public static SocksRequestReading Read(ReadOnlySpan<byte> bytes)
    {
        byte command = bytes[1];
        if (command is not ((byte)SocksCommand.Connect or (byte)SocksCommand.Bind or (byte)SocksCommand.Associate))
            return SocksRequestReading.Refuse(SocksReplyCode.CommandNotSupported, $"command {command} is not known");
        ReadOnlySpan<byte> address = bytes[AddressStart..];
        if (SocksAddressCodec.Measure(address, out _) == HeaderStatus.Invalid)
            return SocksRequestReading.Refuse(SocksReplyCode.AddressTypeNotSupported, $"address type {address[0]} is not known");
        return SocksAddressCodec.Read(address, out string fault) is { } endpoint
            ? SocksRequestReading.Of(new SocksRequest(SocksVersion.Five, (SocksCommand)command, endpoint))
            : SocksRequestReading.Refuse(SocksReplyCode.GeneralFailure, fault);
    }

    /// <summary>Writes a request; returns its length.</summary>
    /// <exception cref="FormatException">The name is too long.</exception>
    public static int Write(Span<byte> output, SocksCommand command, HostEndpoint address)
    {
        var writer = new SpanWriter(output);
        writer.Byte(SocksVersion.Five);
        writer.Byte((byte)command);
        writer.Byte(0);
        SocksAddressCodec.Write(ref writer, address);
        return writer.Length;
    }
}
