//! Strict framing of request heads, beyond hyper's parser: a line that ends in a bare LF, which a proxy in front may read otherwise
//! (RFC 9112, section 2.2), and the bytes that follow a request.

/// Follows the bytes of a connection from the beginning of a head to the end of its request.
#[derive(Debug, Default)]
pub struct HeadScan {
    /// A byte other than CR and LF was seen: empty lines before a request line are allowed.
    begun: bool,
    /// Bytes other than CR and LF were seen in this line.
    line_has_bytes: bool,
    last_is_cr: bool,
    complete: bool,
    /// Bytes after the head.
    after: u64,
}

impl HeadScan {
    /// Reads the bytes that arrived. A bare LF of the head is replaced by NUL, which the parser answers with 400.
    pub fn scan(&mut self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            if self.complete {
                self.after += (bytes.len() - at) as u64;
                return;
            }
            match bytes[at] {
                b'\n' if self.last_is_cr => {
                    self.complete = self.begun && !self.line_has_bytes;
                    self.line_has_bytes = false;
                    self.last_is_cr = false;
                }
                b'\n' => bytes[at] = 0,
                b'\r' => self.last_is_cr = true,
                _ => {
                    self.begun = true;
                    self.line_has_bytes = true;
                    self.last_is_cr = false;
                }
            }
        }
    }

    /// Returns whether exactly this many bytes followed the head: fewer would be taken for the next head, and the head of a
    /// pipelined request would not be scanned.
    pub fn is_followed_by(&self, body: u64) -> bool {
        self.complete && self.after == body
    }
}

#[cfg(test)]
mod tests;
