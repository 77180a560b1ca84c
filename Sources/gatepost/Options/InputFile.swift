import Foundation
import Store

/// A file, or standard input, that a command reads whole.
enum InputFile {
    /// Reads the file.
    ///
    /// - Parameter name: a path, or `-` for standard input. A caller who came by sudo must use `-`:
    ///   a named file would be opened with the permissions of the gateway's user.
    /// - Throws: ``Failure`` if the file is unreadable or not allowed.
    static func contents(_ name: String) throws -> Data {
        if name == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
        guard !Actor.current.isBySudo else {
            throw Failure("\(name): by sudo, redirect the file to standard input: - < \(name)")
        }
        guard let octets = FileManager.default.contents(atPath: name) else {
            throw Failure("cannot read \(name): check its path and its permissions")
        }
        return octets
    }
}
