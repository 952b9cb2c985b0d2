using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Transport;

/// <summary>Reads that are cancelled while their bytes arrive: each gets the bytes or leaves them for the next.</summary>
internal static class ReadRace
{
    public static async Task AssertLosesNothingAsync(DuplexConnection reader, DuplexConnection writer)
    {
        byte[] sent = RandomBytes.Of(2000);
        var got = new List<byte>();
        var buffer = new byte[16];
        for (int i = 0; i < sent.Length; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<int> read = reader.ReadAsync(buffer, cancel.Token).AsTask();
            Task cancelling = Task.Run(cancel.Cancel);
            await writer.WriteAsync(sent.AsMemory(i, 1), CancellationToken.None);
            try
            {
                int count = await read.Within();
                got.AddRange(buffer[..count]);
            }
            catch (OperationCanceledException)
            {
                // then the byte is still there for the next read
            }
            await cancelling;
        }
        await writer.CompleteWritesAsync(CancellationToken.None);
        got.AddRange(await ConnectedPair.ReadToEndAsync(reader));
        Assert.Equal(sent, got);
    }
}
