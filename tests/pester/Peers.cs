using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace ProxyShellTests
{
    /// <summary>A tiny HTTP origin: /bytes/N sends N bytes, /endless sends until it is cut off, /hang never answers.</summary>
    public sealed class Origin : IDisposable
    {
        private static readonly byte[] Pattern = MakePattern();
        private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);
        private readonly List<TcpClient> _clients = new List<TcpClient>();

        public Origin()
        {
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            Task.Run(AcceptAsync);
        }

        public int Port { get; private set; }

        public string Address { get { return "127.0.0.1:" + Port; } }

        /// <summary>The path of the last request.</summary>
        public string LastPath { get; private set; }

        public static string HashOf(int count)
        {
            using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
            {
                for (int sent = 0; sent < count; sent += Pattern.Length) hash.AppendData(Pattern, 0, Math.Min(Pattern.Length, count - sent));
                return Convert.ToHexString(hash.GetHashAndReset());
            }
        }

        public void Dispose()
        {
            _listener.Stop();
            lock (_clients) foreach (TcpClient client in _clients) client.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    TcpClient client = await _listener.AcceptTcpClientAsync();
                    lock (_clients) _clients.Add(client);
                    _ = Task.Run(() => ServeAsync(client));
                }
            }
            catch (Exception e) when (e is SocketException || e is ObjectDisposedException || e is InvalidOperationException) { }
        }

        private async Task ServeAsync(TcpClient client)
        {
            try
            {
                using (client)
                {
                    NetworkStream stream = client.GetStream();
                    string path = (await ReadHeadAsync(stream)).Split(' ')[1];
                    LastPath = path;
                    if (path == "/hang") await Task.Delay(Timeout.Infinite);
                    int count = path.StartsWith("/bytes/") ? int.Parse(path.Substring(7)) : path == "/endless" ? int.MaxValue : 100;
                    string length = path == "/endless" ? "" : "Content-Length: " + count + "\r\n";
                    byte[] head = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n" + length + "Connection: close\r\n\r\n");
                    await stream.WriteAsync(head, 0, head.Length);
                    for (int sent = 0; sent < count; sent += path == "/endless" ? 0 : Pattern.Length)
                        await stream.WriteAsync(Pattern, 0, Math.Min(Pattern.Length, count - sent));
                }
            }
            catch (Exception e) when (e is IOException || e is SocketException || e is ObjectDisposedException || e is IndexOutOfRangeException) { }
        }

        private static async Task<string> ReadHeadAsync(Stream stream)
        {
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n") && await stream.ReadAsync(one, 0, 1) == 1) head.Append((char)one[0]);
            return head.ToString();
        }

        private static byte[] MakePattern()
        {
            var pattern = new byte[65521];
            for (int i = 0; i < pattern.Length; i++) pattern[i] = (byte)(i * 31 + (i >> 8));
            return pattern;
        }
    }

    /// <summary>What TLS clients see of a port of this machine.</summary>
    public static class TlsClient
    {
        /// <summary>The subject of the certificate that is shown to who asks for a name.</summary>
        public static string SubjectAt(int port, string name)
        {
            using (var client = new TcpClient("127.0.0.1", port))
            using (var tls = new SslStream(client.GetStream(), false, (s, certificate, chain, errors) => true))
            {
                tls.AuthenticateAsClient(name);
                return tls.RemoteCertificate.Subject;
            }
        }
    }

    /// <summary>Sends every datagram back to where it came from.</summary>
    public sealed class UdpEcho : IDisposable
    {
        private readonly UdpClient _socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));

        public UdpEcho()
        {
            Task.Run(EchoAsync);
        }

        public string Address { get { return _socket.Client.LocalEndPoint.ToString(); } }

        /// <summary>Sends a datagram to a port and gives what comes back; null when nothing does in time.</summary>
        public static string Ask(int port, string text, int milliseconds)
        {
            using (var client = new UdpClient())
            {
                client.Client.ReceiveTimeout = milliseconds;
                byte[] bytes = Encoding.UTF8.GetBytes(text);
                client.Send(bytes, bytes.Length, new IPEndPoint(IPAddress.Loopback, port));
                IPEndPoint from = null;
                try { return Encoding.UTF8.GetString(client.Receive(ref from)); }
                catch (SocketException) { return null; }
            }
        }

        public void Dispose() { _socket.Dispose(); }

        private async Task EchoAsync()
        {
            try
            {
                while (true)
                {
                    UdpReceiveResult item = await _socket.ReceiveAsync();
                    await _socket.SendAsync(item.Buffer, item.Buffer.Length, item.RemoteEndPoint);
                }
            }
            catch (Exception e) when (e is SocketException || e is ObjectDisposedException) { }
        }
    }

    /// <summary>Takes one connection and keeps the first line that comes.</summary>
    public sealed class LineTaker : IDisposable
    {
        private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);

        public LineTaker()
        {
            _listener.Start();
            Task.Run(TakeAsync);
        }

        public string Address { get { return _listener.LocalEndpoint.ToString(); } }

        public string Line { get; private set; }

        public void Dispose() { _listener.Stop(); }

        private async Task TakeAsync()
        {
            try
            {
                using (TcpClient client = await _listener.AcceptTcpClientAsync())
                    Line = await new StreamReader(client.GetStream()).ReadLineAsync();
            }
            catch (Exception e) when (e is IOException || e is SocketException || e is ObjectDisposedException) { }
        }
    }

    /// <summary>A relay hop that answers every request with one reason and stage of docs/protocols/relay.md.</summary>
    public sealed class RefusingHop : IDisposable
    {
        private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);
        private readonly byte _reason;
        private readonly byte _stage;

        public RefusingHop(int reason, int stage)
        {
            _reason = (byte)reason;
            _stage = (byte)stage;
            _listener.Start();
            Task.Run(AcceptAsync);
        }

        public string Uri { get { return "relay://" + _listener.LocalEndpoint; } }

        public void Dispose() { _listener.Stop(); }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    using (TcpClient client = await _listener.AcceptTcpClientAsync()) await AnswerAsync(client.GetStream());
                }
            }
            catch (Exception e) when (e is IOException || e is SocketException || e is ObjectDisposedException || e is InvalidOperationException) { }
        }

        private async Task AnswerAsync(Stream stream)
        {
            var request = new byte[6];
            await stream.ReadExactlyAsync(request);
            var rest = new byte[request[4] * 256 + request[5]];
            await stream.ReadExactlyAsync(rest);
            var response = new byte[38 + 7];
            response[0] = 0xF1;
            response[1] = 0x51;
            response[2] = 1;
            response[5] = 39;
            Array.Copy(rest, 8, response, 6, 16);
            response[38] = _reason;
            response[39] = _stage;
            await stream.WriteAsync(response);
            await stream.ReadAsync(new byte[1]);
        }
    }

    /// <summary>A download that runs by itself; looked at from the test.</summary>
    public sealed class Download : IDisposable
    {
        private readonly TcpClient _client = new TcpClient();
        private long _bytes;

        public Download(int port, string path)
        {
            _client.Connect(IPAddress.Loopback, port);
            Task.Run(() => RunAsync(path));
        }

        public long Bytes { get { return Interlocked.Read(ref _bytes); } }

        public bool IsEnded { get; private set; }

        public void Dispose() { _client.Dispose(); }

        private async Task RunAsync(string path)
        {
            var buffer = new byte[65536];
            try
            {
                byte[] request = Encoding.ASCII.GetBytes("GET " + path + " HTTP/1.1\r\nHost: origin\r\n\r\n");
                await _client.GetStream().WriteAsync(request, 0, request.Length);
                int count;
                while ((count = await _client.GetStream().ReadAsync(buffer, 0, buffer.Length)) > 0) Interlocked.Add(ref _bytes, count);
            }
            catch (Exception e) when (e is IOException || e is ObjectDisposedException || e is InvalidOperationException) { }
            IsEnded = true;
        }
    }
}
