import COpenSSL
import NIOCore

/// Creates a BIO that reads from and writes to the buffers of a connection.
///
/// It never blocks: without input it reports a retry.
/// - Parameter connection: an unowned ``SSLConnection``; it must outlive the BIO.
func newBufferBIO(_ connection: UnsafeMutableRawPointer) -> OpaquePointer? {
    guard let method = bufferMethod, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, connection)
    BIO_set_init(bio, 1)
    return bio
}

/// `nonisolated(unsafe)`: initialized once before its first use, then constant until the process
/// ends.
private nonisolated(unsafe) let bufferMethod: OpaquePointer? = {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = BIO_meth_new(type, "buffer") else { return nil }
    BIO_meth_set_read(method, bufferRead)
    BIO_meth_set_write(method, bufferWrite)
    BIO_meth_set_ctrl(method, bufferControl)
    return method
}()

private func connection(of bio: OpaquePointer?) -> SSLConnection? {
    guard let bio, let own = BIO_get_data(bio) else { return nil }
    return Unmanaged<SSLConnection>.fromOpaque(own).takeUnretainedValue()
}

/// Moves ciphertext from ``SSLConnection/input`` to OpenSSL.
private func bufferRead(
    bio: OpaquePointer?,
    octets: UnsafeMutablePointer<CChar>?,
    count: CInt
) -> CInt {
    guard let connection = connection(of: bio), let octets, count > 0 else { return -1 }
    gp_BIO_clear_retry_flags(bio)
    let length = connection.input.readWithUnsafeReadableBytes { source in
        let length = min(Int(count), source.count)
        guard length > 0, let start = source.baseAddress else { return 0 }
        UnsafeMutableRawPointer(octets).copyMemory(from: start, byteCount: length)
        return length
    }
    guard length == 0 else { return CInt(clamping: length) }
    gp_BIO_set_retry_read(bio)
    return -1
}

/// Appends ciphertext from OpenSSL to ``SSLConnection/output``.
private func bufferWrite(bio: OpaquePointer?, octets: UnsafePointer<CChar>?, count: CInt) -> CInt {
    guard let connection = connection(of: bio), let octets, count > 0 else { return -1 }
    gp_BIO_clear_retry_flags(bio)
    connection.output.writeBytes(UnsafeRawBufferPointer(start: octets, count: Int(count)))
    return count
}

private func bufferControl(
    bio: OpaquePointer?,
    command: CInt,
    number: Int,
    pointer: UnsafeMutableRawPointer?
) -> Int {
    // The handler sends the output itself, so a flush has nothing to do.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
