// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one-shot flag of a Raspberry Pi's firmware, for kernels that do not pass it on.
 *
 * With `tryboot_a_b=1` in autoboot.txt the firmware boots the partition of the [tryboot] section once when this flag was set before a restart, and
 * clears the flag before it starts anything. Raspberry Pi's own kernel sets it for `reboot "0 tryboot"`; the mainline kernel does not. So:
 *
 *     echo 1 > /sys/module/niac_tryboot/parameters/armed     the next orderly restart tries the other slot
 *     echo 0 > /sys/module/niac_tryboot/parameters/armed     it does not
 *
 * The flag is set in the restart itself and not when it is armed: a watchdog's reset or a power cut in between boots the slot that is known to be
 * good. A restart by SysRq or after a panic passes no reboot notifier, and boots that slot too.
 *
 * Mailbox property 0x00038064, "set reboot flags": request and response are one 32-bit word, bit 0 is tryboot. A Pi 4 model B of revision 1.0 or 1.1
 * cuts its own power in a restart and keeps the flag in the boot EEPROM, which must then not be write-protected.
 *
 * The rest of niac is under the Apache License 2.0. This file is under the kernel's licence, because what it calls in the kernel is exported for that
 * licence alone; its source goes along with the image, in licences.txt.
 */
#define pr_fmt(text) KBUILD_MODNAME ": " text

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/reboot.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

#define SET_REBOOT_FLAGS 0x00038064
#define FLAG_NONE 0u
#define FLAG_TRYBOOT 1u

static struct rpi_firmware *firmware;
static bool armed;

static int set_flags(u32 flags)
{
	return rpi_firmware_property(firmware, SET_REBOOT_FLAGS, &flags, sizeof(flags));
}

/*
 * Whoever arms hears at once when the firmware is too old to know the property, and not by a restart into the wrong slot; so the flag is written
 * here as well, as none. Parameters are written under the kernel's parameter lock, one at a time.
 */
static int armed_set(const char *text, const struct kernel_param *param)
{
	bool wanted;
	int error = kstrtobool(text, &wanted);

	if (error)
		return error;
	/* Not found yet: a parameter given with the module's loading comes before its start. Loading arms nothing. */
	if (!firmware)
		return -EPERM;
	error = set_flags(FLAG_NONE);
	if (error) {
		pr_err("the firmware does not take the tryboot flag (error %d): it is too old, and the next restart keeps the slot\n", error);
		/* Disarming holds all the same: armed or not is known here, and nowhere else. */
		if (wanted)
			return error;
	}
	armed = wanted;
	return 0;
}

static const struct kernel_param_ops armed_ops = {
	.set = armed_set,
	.get = param_get_bool,
};

module_param_cb(armed, &armed_ops, &armed, 0644);
MODULE_PARM_DESC(armed, "set the firmware's tryboot flag at the next orderly restart (1) or not (0)");

static int on_reboot(struct notifier_block *block, unsigned long action, void *command)
{
	int error;

	if (!armed || action != SYS_RESTART)
		return NOTIFY_DONE;
	error = set_flags(FLAG_TRYBOOT);
	if (error)
		pr_emerg("the tryboot flag could not be set (error %d): the slot stays\n", error);
	else
		pr_notice("the tryboot flag is set: the firmware tries the other slot once\n");
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = {
	.notifier_call = on_reboot,
};

static int __init niac_tryboot_init(void)
{
	struct device_node *node = rpi_firmware_find_node();
	int error;

	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	/* The driver is in the kernel and comes up before any module: this is a firmware that did not answer it. */
	if (!firmware)
		return -ENXIO;
	error = register_reboot_notifier(&reboot_block);
	if (error)
		rpi_firmware_put(firmware);
	return error;
}

/* No exit: it cannot be unloaded, so no armed restart is lost that way. */
module_init(niac_tryboot_init);

MODULE_AUTHOR("niac");
MODULE_DESCRIPTION("Sets the Raspberry Pi firmware's one-shot tryboot flag at a restart");
MODULE_LICENSE("GPL");
