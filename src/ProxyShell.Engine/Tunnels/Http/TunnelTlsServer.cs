using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Tls;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>
/// Serves a port for TLS: a connection whose server name (SNI) belongs to a tunnel of that kind goes to its agent as it is, unread; for all
/// others TLS ends here and HTTP is served inside.
/// </summary>
internal sealed class TunnelTlsServer(TunnelHttpContext context, TunnelHttpServer inside, TlsServer? tls) : IClientServer
{
    private readonly TunnelRelay _relay = new(context, context.Directory);

    public async Task ServeAsync(ServedConnection served)
    {
        string name = await ReadNameAsync(served).ConfigureAwait(false);
        TunnelLookupStatus status = name.Length == 0 ? TunnelLookupStatus.Unknown : context.Directory.Find(name, TunnelKind.Tls).Status;
        if (status != TunnelLookupStatus.Unknown) await PassAsync(served, name).ConfigureAwait(false);
        else if (tls is null) throw await RefuseAsync(served, TlsAlert.UnrecognizedName, ProxyErrorReason.TlsFailed, $"asks for '{name}', which no tunnel serves, and there is no certificate to speak TLS with").ConfigureAwait(false);
        else
        {
            await served.EncryptAsync(tls, context.Time).ConfigureAwait(false);
            await inside.ServeAsync(served).ConfigureAwait(false);
        }
    }

    // before a handshake nothing can be told
    public ValueTask TurnAwayAsync(DuplexConnection connection) => LingeringClose.RunAsync(connection, context.Time);

    // what was read is put back: it is for whoever ends TLS
    private async ValueTask<string> ReadNameAsync(ServedConnection served)
    {
        using var reader = new HeaderReader(served.Client, ClientHelloCodec.MaxLength);
        while (true)
        {
            await ServiceContext.ReadMoreAsync(served, reader, "a TLS handshake").ConfigureAwait(false);
            HeaderStatus status = ClientHelloCodec.Read(reader.Bytes, out string name);
            if (status == HeaderStatus.Complete) return name;
            if (status == HeaderStatus.Incomplete) continue;
            if (reader.Bytes[0] == ClientHelloCodec.FirstByte) return "";
            ReadOnlyMemory<byte> answer = char.IsAsciiLetter((char)reader.Bytes[0]) ? TunnelRefusals.NoTls.Write(context.Time.GetUtcNow(), toHead: false) : default;
            throw await RefuseAsync(served, answer, ProxyErrorReason.ProtocolError, $"begins with byte 0x{reader.Bytes[0]:X2}: this is not TLS").ConfigureAwait(false);
        }
    }

    private Task PassAsync(ServedConnection served, string name) => _relay.ServeAsync(
        served, name, TunnelKind.Tls, new TunnelVisitor { Client = served.Addresses.Source, Gateway = served.Addresses.Destination, Scheme = "tls", Host = name });

    private async Task<ProxyException> RefuseAsync(ServedConnection served, ReadOnlyMemory<byte> answer, ProxyErrorReason reason, string detail)
    {
        await context.TellAsync(served, answer).ConfigureAwait(false);
        return ServiceContext.Refused(served, reason, detail);
    }
}
