import Foundation
import Store

/// A file that a command reads.
enum InputFile {
    /// - Parameter name: `-` for standard input, the only one that who came by sudo may give: another
    ///   would be opened with the rights of the gateway's user.
    static func contents(_ name: String) throws -> Data {
        if name == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
        guard !Actor.current.isBySudo else {
            throw Failure("by sudo, give the file as input: - < \(name)")
        }
        guard let octets = FileManager.default.contents(atPath: name) else {
            throw Failure("\(name) cannot be read")
        }
        return octets
    }
}
