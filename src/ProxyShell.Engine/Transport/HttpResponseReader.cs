using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Transport;

/// <summary>Reads the head of an HTTP response from a connection.</summary>
internal static class HttpResponseReader
{
    /// <summary>
    /// Reads the response to a request with this method; what follows the head stays in the reader. What is no response is a
    /// <see cref="ProxyException"/> without a subject.
    /// </summary>
    public static async ValueTask<HttpResponseHead> ReadAsync(HeaderReader reader, string method, CancellationToken cancellationToken)
    {
        int scanned = 0, length;
        for (HeaderStatus status; (status = HttpHead.Measure(reader.Bytes, ref scanned, out length)) != HeaderStatus.Complete;)
        {
            if (status == HeaderStatus.Invalid) throw Broken("a line does not end with CR LF");
            if (reader.IsFull) throw Broken($"its head is over the limit of {HttpHead.MaxLength} bytes");
            await ReadMoreAsync(reader, cancellationToken).ConfigureAwait(false);
        }
        HttpResponseHead head = HttpResponseHead.Read(reader.Bytes[..length], method, out HttpFault? fault) ?? throw Broken(fault!.Detail);
        reader.Consume(length);
        return head;
    }

    /// <summary>Reads the response to a request with this method, past those that only say to go on.</summary>
    public static async ValueTask<HttpResponseHead> ReadFinalAsync(HeaderReader reader, string method, CancellationToken cancellationToken)
    {
        HttpResponseHead head;
        do head = await ReadAsync(reader, method, cancellationToken).ConfigureAwait(false);
        while (head.IsInterim);
        return head;
    }

    private static async ValueTask ReadMoreAsync(HeaderReader reader, CancellationToken cancellationToken)
    {
        bool began = !reader.Bytes.IsEmpty;
        try
        {
            if (await reader.ReadMoreAsync(cancellationToken).ConfigureAwait(false)) return;
        }
        catch (ProxyException e)
        {
            throw new ProxyException(e.Reason, ProxyStage.Request, null, $"{e.Detail} instead of a response", e);
        }
        throw new ProxyException(ProxyErrorReason.ConnectionClosed, ProxyStage.Request, null, began ? "closed the connection within its response" : "closed the connection without a response");
    }

    private static ProxyException Broken(string why) => new(ProxyErrorReason.ProtocolError, ProxyStage.Request, null, "its response is not valid HTTP: " + why);
}
