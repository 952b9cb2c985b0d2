using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Http;

namespace ProxyShell.Engine.Tests.Protocols.Http;

public class HttpBodyScannerTests
{
    private const string Body = "5;a=\"b;c\"\r\nhello\r\nA\r\n0123456789\r\n00\r\nX-One: 1\r\nX-Two:\r\n\r\n";

    [Fact]
    public void Chunks_are_found_to_end_where_they_do_however_they_come()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Body + "GET");
        for (int step = 1; step <= bytes.Length; step++)
        {
            Assert.Equal(Body, Pass(bytes, step, undo: false));
            Assert.Equal("hello0123456789", Pass(bytes, step, undo: true));
        }
    }

    public static TheoryData<string> Faults => new(BadRequests.Chunks.Select(b => b.Name));

    [Theory]
    [MemberData(nameof(Faults))]
    public void Bad_chunks_are_refused_however_they_come(string name)
    {
        (_, string body, string words) = BadRequests.Chunks.Single(b => b.Name == name);
        byte[] bytes = Encoding.Latin1.GetBytes(body);
        foreach (int step in new[] { 1, 3, bytes.Length })
        {
            var scanner = new HttpBodyScanner(new HttpBody(HttpBodyKind.Chunked));
            bool fine = true;
            for (int at = 0; at < bytes.Length && fine; at += step) fine = scanner.TryTake(bytes.AsSpan(at, Math.Min(step, bytes.Length - at)), out _, out _);
            Assert.False(fine);
            Assert.Equal(words, scanner.Fault);
        }
    }

    [Fact]
    public void Any_body_in_any_chunks_passes_unchanged() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>[]>(), ArbMap.Default.ArbFor<PositiveInt>(), (parts, step) =>
        {
            string[] data = [.. parts.Select(p => p.Get).Where(p => p.Length > 0)];
            byte[] bytes = Encoding.Latin1.GetBytes(string.Concat(data.Select(Chunk)) + "0\r\n\r\nnext");
            string plain = Encoding.Latin1.GetString(Encoding.Latin1.GetBytes(string.Concat(data)));
            return Pass(bytes, step.Get, undo: false) == Encoding.Latin1.GetString(bytes, 0, bytes.Length - 4) && Pass(bytes, step.Get, undo: true) == plain;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_body_that_is_cut_off_is_never_complete()
    {
        byte[] bytes = Encoding.ASCII.GetBytes(Body);
        for (int length = 0; length < bytes.Length; length++)
        {
            var scanner = new HttpBodyScanner(new HttpBody(HttpBodyKind.Chunked));
            Assert.True(scanner.TryTake(bytes.AsSpan(0, length), out int taken, out _));
            Assert.Equal((length, false), (taken, scanner.IsComplete));
        }
    }

    [Fact]
    public void A_length_is_counted()
    {
        var scanner = new HttpBodyScanner(HttpBody.OfLength(5));
        Assert.True(scanner.TryTake("abc"u8.ToArray(), out int taken, out int kept));
        Assert.Equal((3, 3, false), (taken, kept, scanner.IsComplete));
        Assert.True(scanner.TryTake("defgh"u8.ToArray(), out taken, out kept));
        Assert.Equal((2, 2, true), (taken, kept, scanner.IsComplete));
        Assert.True(new HttpBodyScanner(HttpBody.OfLength(0)).IsComplete);
    }

    [Fact]
    public void Arbitrary_bytes_never_make_it_take_more_than_there_is()
    {
        var random = new Random(13);
        for (int round = 0; round < 100_000; round++)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(Body + "5\r\nhello\r\n");
            for (int i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var scanner = new HttpChunkScanner();
            HeaderStatus status = HeaderStatus.Incomplete;
            for (int at = 0; at < bytes.Length && status == HeaderStatus.Incomplete;)
            {
                status = scanner.Scan(bytes.AsSpan(at), out int taken, out int data);
                Assert.InRange(taken, 0, bytes.Length - at);
                Assert.InRange(data, 0, taken);
                Assert.True(taken > 0 || status == HeaderStatus.Invalid);
                at += taken;
            }
            Assert.Equal(status == HeaderStatus.Invalid, scanner.Fault.Length > 0);
        }
    }

    private static string Chunk(string data) => string.Create(CultureInfo.InvariantCulture, $"{data.Length:x}\r\n{data}\r\n");

    private static string Pass(byte[] bytes, int step, bool undo)
    {
        var scanner = new HttpBodyScanner(new HttpBody(HttpBodyKind.Chunked), undo);
        var passed = new StringBuilder();
        for (int at = 0; at < bytes.Length && !scanner.IsComplete;)
        {
            byte[] part = bytes[at..Math.Min(at + step, bytes.Length)];
            Assert.True(scanner.TryTake(part, out int taken, out int kept), scanner.Fault);
            passed.Append(Encoding.Latin1.GetString(part, 0, kept));
            at += taken;
        }
        Assert.True(scanner.IsComplete);
        return passed.ToString();
    }
}
