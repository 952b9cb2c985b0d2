namespace ProxyShell.Engine.Security;

/// <summary>
/// How a file looked: its time and size, read from the open file, so that every kind of link on the way to it is followed. A file that
/// is not there looks like no other.
/// </summary>
internal readonly record struct FileStamp(DateTime Changed, long Length)
{
    public static FileStamp Of(string path)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            return new FileStamp(File.GetLastWriteTimeUtc(file), RandomAccess.GetLength(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new FileStamp(DateTime.MinValue, -1);
        }
    }
}
