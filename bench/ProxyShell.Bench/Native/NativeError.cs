using System.Runtime.InteropServices;

namespace ProxyShell.Bench.Native;

/// <summary>Turns a failed system call into an exception that names the call.</summary>
internal static class NativeError
{
    internal static int ThrowIfFailed(int result, string call)
    {
        if (result >= 0)
            return result;
        int error = Marshal.GetLastPInvokeError();
        throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}
