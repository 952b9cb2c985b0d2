using System.Runtime.InteropServices;
using ProxyShell.Bench;
using ProxyShell.Bench.Load;
using ProxyShell.Bench.Origins;
using ProxyShell.Bench.Peers;
using ProxyShell.Bench.Sessions;
using ProxyShell.Bench.Soak;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("The bench reads /proc and uses epoll and splice: it runs on Linux only.");
    return 2;
}

switch (args.FirstOrDefault())
{
    case OriginRole.Name:
        return OriginRole.Run(args[1..]);
    case PlainAsyncPeer.RoleName:
        await PlainAsyncPeer.RunRoleAsync(args[1..]);
        return 0;
    case { } role when SessionRoles.Includes(role):
        await SessionRoles.RunAsync(role, args[1..]);
        return 0;
    case LinkRole.Name:
        return LinkRole.Run(args[1..]);
    case SoakTask.Name:
        return await SoakTask.RunAsync(args[1..]);
    case "--help" or "-h":
        Console.WriteLine(BenchOptions.Usage);
        return 0;
}

using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true; // the run ends by itself, so that it can end what it started
    stop.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
AppDomain.CurrentDomain.ProcessExit += (_, _) => StartedProcesses.StopAll();
try
{
    return await new BenchRun(BenchOptions.Parse(args)).RunAsync(stop.Token);
}
catch (FormatException wrong)
{
    Console.Error.WriteLine($"{wrong.Message}\n\n{BenchOptions.Usage}");
    return 2;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("stopped");
    return 130;
}
