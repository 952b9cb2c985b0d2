namespace ProxyShell.Engine.Tunnels.Http;

/// <summary>A file that lines are added to and that is begun anew when it has its size; older ones get numbers.</summary>
internal sealed class LogFile : IAsyncDisposable
{
    private readonly AccessLogOptions _options;
    private FileStream? _stream;

    public LogFile(AccessLogOptions options) => _options = options;

    /// <summary>Adds whole lines, which are in the file when it returns.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        _stream ??= Open(FileMode.Append);
        if (_stream.Length > 0 && _stream.Length + lines.Length > _options.MaxLength) await BeginAnewAsync().ConfigureAwait(false);
        await _stream.WriteAsync(lines, cancellationToken).ConfigureAwait(false);
        await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is null) return;
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // said when it was written
        }
        _stream = null;
    }

    private async ValueTask BeginAnewAsync()
    {
        await _stream!.DisposeAsync().ConfigureAwait(false);
        _stream = null;
        for (int number = _options.KeptFiles; number > 0; number--)
        {
            string newer = number == 1 ? _options.Path : Numbered(number - 1);
            if (File.Exists(newer)) File.Move(newer, Numbered(number), overwrite: true);
        }
        _stream = Open(FileMode.Create);
    }

    private string Numbered(int number) => $"{_options.Path}.{number}";

    // who watches the file may read and rename it
    private FileStream Open(FileMode mode) => new(_options.Path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        Options = FileOptions.Asynchronous,
    });
}
