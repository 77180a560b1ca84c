import Glibc

/// The TCP connection to a server.
enum SocketConnection {
    /// Connects to the first address of a server that accepts, in blocking mode.
    /// - Returns: the descriptor, which the caller owns.
    /// - Throws: `unavailable`.
    static func open(
        to server: DirectoryServer,
        until deadline: Deadline
    ) throws(DirectoryError) -> CInt {
        let addresses = try Resolution.addresses(of: server, until: deadline)
        var reason = "the host name has no address"
        for (index, address) in addresses.enumerated() {
            // An address that does not answer leaves time for the others.
            let end = deadline.share(of: addresses.count - index)
            switch self.connect(to: address, until: end) {
            case .success(let descriptor): return descriptor
            case .failure(let error): reason = PeerText.printable(strerror(error.code))
            }
        }
        throw .unavailable("\(server): \(reason)")
    }

    /// A code of `errno`.
    private struct SystemError: Error {
        var code: CInt
    }

    private static func connect(
        to address: SocketAddress,
        until deadline: Deadline
    ) -> Result<CInt, SystemError> {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
        // A request is one small write, which must not wait for the acknowledgement of another.
        var isOn: CInt = 1
        setsockopt(
            descriptor,
            CInt(IPPROTO_TCP),
            TCP_NODELAY,
            &isOn,
            socklen_t(MemoryLayout<CInt>.size)
        )
        let code = self.connect(descriptor, to: address, until: deadline)
        guard code == 0, fcntl(descriptor, F_SETFL, 0) == 0 else {
            close(descriptor)
            return .failure(SystemError(code: code == 0 ? EIO : code))
        }
        return .success(descriptor)
    }

    /// - Returns: 0, or a code of `errno`.
    private static func connect(
        _ descriptor: CInt,
        to address: SocketAddress,
        until deadline: Deadline
    ) -> CInt {
        let started = address.octets.withUnsafeBytes { octets -> CInt in
            guard let start = octets.baseAddress else { return EINVAL }
            let pointer = start.assumingMemoryBound(to: sockaddr.self)
            let code = Glibc.connect(descriptor, pointer, socklen_t(octets.count))
            return code == 0 ? 0 : errno
        }
        guard started != 0 else { return 0 }
        guard started == EINPROGRESS || started == EINTR else { return started }
        var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            guard !deadline.hasPassed else { return ETIMEDOUT }
            let count = poll(&event, 1, CInt(deadline.milliseconds))
            if count > 0 { break }
            if count < 0, errno != EINTR { return errno }
        }
        var code: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return errno }
        return code
    }
}
