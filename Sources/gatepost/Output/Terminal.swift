// The compiler assigns C's structures to the first C module that it loads: import these first.
import CDispatch
import CoreFoundation
import Foundation
import Glibc

/// The terminal of the command: its width, and questions without echo.
enum Terminal {
    /// The width in columns; nil if standard output is no terminal.
    static var width: Int? { self.width(of: 1) }

    /// The width in columns; nil if a file descriptor is no terminal.
    static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Asks a question on standard error and reads one line.
    /// - Parameters:
    ///   - prompt: the question.
    ///   - echoes: whether the terminal shows the answer.
    /// - Returns: nil at the end of the input.
    static func ask(_ prompt: String, echoes: Bool = false) -> String? {
        FileHandle.standardError.write(Data(prompt.utf8))
        guard !echoes else { return readLine(strippingNewline: true) }
        var settings = termios()
        tcgetattr(0, &settings)
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSANOW, &silent)
        defer {
            tcsetattr(0, TCSANOW, &settings)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        return readLine(strippingNewline: true)
    }
}
