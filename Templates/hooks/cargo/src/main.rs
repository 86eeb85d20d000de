//! Firmware that provisions itself: the device library on a console, and a program around it.

extern "C" {
    fn board_start();
    fn board_log(bytes: *const u8, length: usize);
    /// The next byte from the host, -1 when there is none yet, -2 when there will be none.
    fn board_receive() -> i32;
    fn dp_start() -> bool;
    fn dp_receive(byte: u8);
}

fn log(text: &str) {
    unsafe { board_log(text.as_ptr(), text.len()) }
}

fn main() {
    unsafe { board_start() };
    log("boot cargo/native\r\n");
    if !unsafe { dp_start() } {
        log("provisioning did not start: storage, crypto or entropy failed\r\n");
    }
    loop {
        match unsafe { board_receive() } {
            -2 => return,
            byte @ 0..=255 => unsafe { dp_receive(byte as u8) },
            _ => {}
        }
    }
}
