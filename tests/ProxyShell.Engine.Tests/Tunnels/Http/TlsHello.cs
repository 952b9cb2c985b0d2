using System.Buffers.Binary;
using System.Net.Security;

namespace ProxyShell.Engine.Tests.Tunnels.Http;

/// <summary>ClientHellos as the system's own TLS sends them, whole or taken apart.</summary>
internal static class TlsHello
{
    /// <summary>What a client sends first that asks for this name.</summary>
    public static async Task<byte[]> CaptureAsync(string name)
    {
        using var sent = new MemoryStream();
        await using var tls = new SslStream(new Recorder(sent));
        await Record.ExceptionAsync(() => tls.AuthenticateAsClientAsync(name).Within());
        // the alert that ends the attempt is not part of it
        byte[] all = sent.ToArray();
        return all[..(5 + BinaryPrimitives.ReadUInt16BigEndian(all.AsSpan(3)))];
    }

    /// <summary>The same message in records of at most so many bytes.</summary>
    public static byte[] Fragmented(byte[] hello, int piece)
    {
        using var records = new MemoryStream();
        for (int at = 5; at < hello.Length; at += piece)
        {
            int length = Math.Min(piece, hello.Length - at);
            records.Write([22, 3, 1, (byte)(length >> 8), (byte)length]);
            records.Write(hello.AsSpan(at, length));
        }
        return records.ToArray();
    }

    // takes all that is written, and ends when it is read
    private sealed class Recorder(MemoryStream sent) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override void Write(byte[] buffer, int offset, int count) => sent.Write(buffer, offset, count);

        public override void Flush()
        {
            // nothing is kept back
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
