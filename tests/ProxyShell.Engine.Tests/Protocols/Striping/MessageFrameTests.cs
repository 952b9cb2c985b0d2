using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using ProxyShell.Engine.Protocols;
using ProxyShell.Engine.Protocols.Striping;

namespace ProxyShell.Engine.Tests.Protocols.Striping;

/// <summary>Messages in a stream: what is written comes back with its boundaries, however the stream is cut up, and nothing else is taken for a message.</summary>
public class MessageFrameTests
{
    private static readonly JsonElement[] Vectors =
        [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "docs", "protocols", "datagram-framing-vectors.json"))).RootElement.EnumerateArray()];

    public static TheoryData<string> Names => new(Vectors.Select(v => v.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_published_vectors_hold(string name)
    {
        JsonElement vector = Vectors.Single(v => v.GetProperty("name").GetString() == name);
        byte[] bytes = Convert.FromHexString(vector.GetProperty("bytes").GetString()!);
        if (vector.TryGetProperty("messages", out JsonElement messages))
        {
            Assert.Equal(messages.EnumerateArray().Select(m => m.GetString()!), Read(bytes, 1).Select(m => Convert.ToHexStringLower(m)));
            return;
        }
        HeaderStatus status = MessageFrame.ReadLength(bytes, out int length, out int lengthBytes, out string fault);
        if (vector.TryGetProperty("fault", out JsonElement expected))
        {
            Assert.Equal((HeaderStatus.Invalid, expected.GetString()), (status, fault));
            return;
        }
        Assert.Equal((HeaderStatus.Complete, vector.GetProperty("length").GetInt32(), bytes.Length, ""), (status, length, lengthBytes, fault));
        var written = new byte[MessageFrame.MaxLengthBytes];
        Assert.Equal(bytes, written[..MessageFrame.WriteLength(written, length)]);
    }

    [Fact]
    public void Every_length_comes_back_and_no_other_way_of_writing_it_is_taken()
    {
        var buffer = new byte[MessageFrame.MaxLengthBytes + 1];
        for (int length = 0; length <= MessageFrame.MaxLength; length++)
        {
            int count = MessageFrame.WriteLength(buffer, length);
            for (int part = 0; part < count; part++) Assert.Equal(HeaderStatus.Incomplete, MessageFrame.ReadLength(buffer.AsSpan(0, part), out _, out _, out _));
            Assert.Equal(HeaderStatus.Complete, MessageFrame.ReadLength(buffer, out int read, out int used, out _));
            Assert.Equal((length, count), (read, used));
            // the same number with a zero byte more
            buffer[count - 1] |= 0x80;
            buffer[count] = 0;
            Assert.Equal(HeaderStatus.Invalid, MessageFrame.ReadLength(buffer.AsSpan(0, count + 1), out _, out _, out string fault));
            Assert.NotEmpty(fault);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(MessageFrame.MaxLength + 1)]
    public void A_length_that_no_message_has_is_not_written(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MessageFrame.WriteLength(new byte[8], length));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(1 << 20)]
    public void Messages_of_all_lengths_keep_their_boundaries_however_the_stream_is_cut(int read)
    {
        byte[][] messages = [.. new[] { 0, 1, 127, 128, 16_383, 16_384, 0, 65_535, 65_536, 524_287, 524_288, 0, 3 }.Select((length, seed) => RandomBytes.Of(length, seed))];
        Assert.Equal(messages, Read(Write(messages), read));
    }

    [Fact]
    public void Any_messages_cut_anywhere_come_back()
    {
        Gen<byte[]> message = Gen.Sized(size => Gen.Choose(0, size * size).Select(length => RandomBytes.Of(length, length)));
        Prop.ForAll(Arb.From(message.ListOf()), Arb.From(Gen.Choose(1, 3000)), (messages, read) => Assert.Equal(messages, Read(Write(messages), read))).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_message_that_is_announced_takes_no_memory_before_it_comes()
    {
        using var reader = new MessageReader();
        Add(reader, [0x80, 0x80, 0x20, 1, 2, 3]);
        Assert.Equal(HeaderStatus.Incomplete, reader.TryTake(out _, out _));
        Assert.True(reader.IsWithinMessage);
        Assert.InRange(reader.Capacity, 6, 4096);
        Add(reader, new byte[524_285]);
        Assert.Equal(HeaderStatus.Complete, reader.TryTake(out ReadOnlyMemory<byte> message, out _));
        Assert.Equal(524_288, message.Length);
        // the pool gives powers of two
        Assert.InRange(reader.Capacity, 524_291, 1 << 20);
        Assert.False(reader.IsWithinMessage);
        reader.Rest();
        Assert.Equal(0, reader.Capacity);
    }

    [Fact]
    public void Arbitrary_bytes_are_messages_in_the_one_way_they_are_written_or_refused()
    {
        var random = new Random(11);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = new byte[random.Next(1, 60)];
            random.NextBytes(bytes);
            // short lengths are rare among random bytes
            for (int i = 0; i < bytes.Length; i++) if (random.Next(3) > 0) bytes[i] &= 0x0F;
            using var reader = new MessageReader();
            List<byte[]> messages = [];
            HeaderStatus status = Feed(reader, bytes, random.Next(1, 20), messages, out string fault);
            byte[] written = Write(messages);
            Assert.Equal(bytes[..written.Length], written);
            Assert.Equal(status == HeaderStatus.Invalid, fault.Length > 0);
            if (status == HeaderStatus.Incomplete) Assert.Equal(written.Length < bytes.Length, reader.IsWithinMessage);
        }
    }

    private static byte[] Write(IEnumerable<byte[]> messages)
    {
        using var stream = new MemoryStream();
        var length = new byte[MessageFrame.MaxLengthBytes];
        foreach (byte[] message in messages)
        {
            stream.Write(length, 0, MessageFrame.WriteLength(length, message.Length));
            stream.Write(message);
        }
        return stream.ToArray();
    }

    private static List<byte[]> Read(byte[] bytes, int read)
    {
        using var reader = new MessageReader();
        List<byte[]> messages = [];
        Assert.Equal(HeaderStatus.Incomplete, Feed(reader, bytes, read, messages, out _));
        Assert.False(reader.IsWithinMessage);
        return messages;
    }

    // as from a connection that gives so many bytes at most
    private static HeaderStatus Feed(MessageReader reader, ReadOnlySpan<byte> bytes, int read, List<byte[]> messages, out string fault)
    {
        while (true)
        {
            HeaderStatus status;
            while ((status = reader.TryTake(out ReadOnlyMemory<byte> message, out fault)) == HeaderStatus.Complete) messages.Add(message.ToArray());
            if (status == HeaderStatus.Invalid || bytes.IsEmpty) return status;
            Span<byte> room = reader.GetRoom().Span;
            int count = Math.Min(Math.Min(read, room.Length), bytes.Length);
            bytes[..count].CopyTo(room);
            bytes = bytes[count..];
            reader.Add(count);
        }
    }

    private static void Add(MessageReader reader, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = reader.GetRoom().Span;
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            bytes = bytes[count..];
            reader.Add(count);
        }
    }
}
