import Foundation

extension Process {
    /// Starts the program with no signal blocked.
    ///
    /// A program inherits the blocked signals of the thread that starts it, and the threads of the
    /// concurrency pool block all of them: a server started there could not be told to stop.
    package func runUnblocked() throws {
        var none = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try self.run()
    }
}
