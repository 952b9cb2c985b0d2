using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Tests.Security;

public class DatagramCipherTests
{
    private static readonly ProxyKey Key = ProxyKey.Create();
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    [Fact]
    public void Datagrams_open_in_any_order_and_once()
    {
        using DatagramCipher sealing = DatagramCipher.FromClient(Key, 1, Now), opening = DatagramCipher.FromClient(Key, 1, Now);
        byte[][] datagrams = [.. Enumerable.Range(0, 100).Select(i => Seal(sealing, RandomBytes.Of(i, seed: i)))];
        int[] order = [.. Enumerable.Range(0, 100)];
        new Random(3).Shuffle(order);
        var clear = new byte[200];
        foreach (int i in order)
        {
            Assert.Equal(i, opening.TryOpen(datagrams[i], clear));
            Assert.Equal(RandomBytes.Of(i, seed: i), clear[..i]);
            Assert.Equal(-1, opening.TryOpen(datagrams[i], clear));
        }
    }

    [Fact]
    public void Any_changed_bit_is_noticed_and_harms_nothing()
    {
        using DatagramCipher sealing = DatagramCipher.FromClient(Key, 1, Now), opening = DatagramCipher.FromClient(Key, 1, Now);
        byte[] datagram = Seal(sealing, "hello"u8);
        var clear = new byte[100];
        for (int bit = 0; bit < datagram.Length * 8; bit++)
        {
            byte[] changed = [.. datagram];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(-1, opening.TryOpen(changed, clear));
        }
        for (int length = 0; length < datagram.Length; length++) Assert.Equal(-1, opening.TryOpen(datagram.AsSpan(0, length), clear));
        Assert.Equal(5, opening.TryOpen(datagram, clear));
    }

    [Fact]
    public void Directions_requests_times_and_answers_have_keys_of_their_own()
    {
        DatagramCipher[] ciphers =
        [
            DatagramCipher.FromClient(Key, 1, Now), DatagramCipher.FromClient(Key, 2, Now), DatagramCipher.FromClient(Key, 1, Now.AddSeconds(1)),
            DatagramCipher.FromClient(ProxyKey.Create(), 1, Now), DatagramCipher.FromHop(Key, 1, Now, 1), DatagramCipher.FromHop(Key, 1, Now, 2),
        ];
        var clear = new byte[100];
        foreach (DatagramCipher sealing in ciphers)
        {
            byte[] datagram = Seal(sealing, "hello"u8);
            Assert.Equal([sealing], ciphers.Where(c => c.TryOpen(datagram, clear) == 5));
        }
    }

    [Fact]
    public void After_its_end_a_cipher_does_nothing()
    {
        DatagramCipher cipher = DatagramCipher.FromClient(Key, 1, Now);
        byte[] datagram = Seal(cipher, "hello"u8);
        cipher.Dispose();
        Assert.Equal((-1, -1), (cipher.Seal("hello"u8, new byte[100]), cipher.TryOpen(datagram, new byte[100])));
    }

    [Fact]
    public void The_window_takes_each_number_near_the_highest_once()
    {
        // beside a plain set: numbers that jump ahead, fall back and repeat
        var random = new Random(5);
        var window = new DatagramWindow();
        var seen = new HashSet<ulong>();
        ulong highest = 0;
        for (int i = 0; i < 100_000; i++)
        {
            ulong number = random.Next(20) switch
            {
                0 => highest + (ulong)random.Next(1, 5000),
                < 12 => highest + (ulong)random.Next(0, 3),
                _ => highest - Math.Min(highest, (ulong)random.Next(0, 2500)),
            };
            bool isOld = seen.Count > 0 && highest > number && highest - number >= DatagramWindow.Size;
            Assert.Equal(!seen.Contains(number) && !isOld, window.IsNew(number));
            if (!window.IsNew(number)) continue;
            window.Add(number);
            seen.Add(number);
            highest = Math.Max(highest, number);
        }
        Assert.False(window.IsNew(highest));
        Assert.True(window.IsNew(ulong.MaxValue));
        window.Add(ulong.MaxValue);
        Assert.False(window.IsNew(ulong.MaxValue));
        Assert.False(window.IsNew(highest));
    }

    private static byte[] Seal(DatagramCipher cipher, ReadOnlySpan<byte> clear)
    {
        var output = new byte[clear.Length + DatagramCipher.Overhead];
        Assert.Equal(output.Length, cipher.Seal(clear, output));
        return output;
    }
}
