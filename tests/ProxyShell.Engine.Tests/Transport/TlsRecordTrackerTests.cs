using System.Buffers.Binary;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Where records begin, however the stream is cut.</summary>
public class TlsRecordTrackerTests
{
    [Fact]
    public void Whole_records_are_given_on_as_far_as_there_is_room()
    {
        byte[] stream = Records(100, 5000, 200);
        var tracker = default(TlsRecordTracker);
        Assert.Equal(105, tracker.WholeRecords(stream, 5109));
        Assert.Equal(5110, tracker.WholeRecords(stream, 5110));
        Assert.Equal(5315, tracker.WholeRecords(stream, int.MaxValue));
        Assert.Equal(5110, tracker.WholeRecords(stream.AsSpan(0, 5200), int.MaxValue));
        Assert.Equal(104, tracker.WholeRecords(stream.AsSpan(0, 104), int.MaxValue));
        Assert.Equal(3, tracker.WholeRecords(stream.AsSpan(0, 3), int.MaxValue));
    }

    [Fact]
    public void Only_a_whole_and_large_record_right_here_counts_as_data()
    {
        byte[] stream = Records(100, 5000);
        var tracker = default(TlsRecordTracker);
        Assert.False(tracker.IsLargeRecord(stream));
        tracker.Pass(stream.AsSpan(0, 105));
        Assert.True(tracker.IsLargeRecord(stream.AsSpan(105)));
        Assert.False(tracker.IsLargeRecord(stream.AsSpan(105, 5004)));
        tracker.Pass(stream.AsSpan(105, 1));
        Assert.False(tracker.IsLargeRecord(stream.AsSpan(106)));
    }

    [Fact]
    public void It_keeps_its_place_however_the_stream_is_cut()
    {
        var random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            int[] lengths = [.. Enumerable.Range(0, 12).Select(_ => random.Next(4) == 0 ? 0 : random.Next(16_640))];
            byte[] stream = Records(lengths);
            HashSet<int> begins = [.. lengths.Aggregate(new List<int> { 0 }, (list, length) => [.. list, list[^1] + 5 + length])];
            var tracker = default(TlsRecordTracker);
            for (int at = 0; at < stream.Length;)
            {
                ReadOnlySpan<byte> coming = stream.AsSpan(at, Math.Min(stream.Length - at, 1 + random.Next(60_000)));
                int count = random.Next(3) == 0 ? 1 + random.Next(Math.Min(9, coming.Length)) : tracker.WholeRecords(coming, 1 + random.Next(40_000));
                Assert.InRange(count, 1, coming.Length);
                tracker.Pass(coming[..count]);
                at += count;
                if (at < stream.Length && tracker.IsLargeRecord(stream.AsSpan(at))) Assert.Contains(at, begins);
            }
        }
    }

    private static byte[] Records(params int[] lengths) => [.. lengths.SelectMany(length =>
    {
        var record = new byte[5 + length];
        record[0] = 23;
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)length);
        return record;
    })];
}
